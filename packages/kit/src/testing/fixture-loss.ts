/** A program that ends numbered spans and emits numbered records in one go, then ends by itself or waits to be killed. */
import { logs, trace } from "@opentelemetry/api";

const [, , count, stay] = Bun.argv;
const tracer = trace.getTracer("fixture");
const logger = logs.getLogger("fixture");
for (let n = 0; n < Number(count); n++) {
  const number = String(n).padStart(6, "0");
  tracer.startSpan(number, { attributes: { padding: "x".repeat(100) } }).end();
  logger.emit({ body: number });
}
if (stay !== undefined) setInterval(() => undefined, 1_000);
