/** A program that makes one span and ends by itself, without `runService`. */
import { trace } from "@opentelemetry/api";

trace.getTracer("fixture").startSpan("the only one").end();
