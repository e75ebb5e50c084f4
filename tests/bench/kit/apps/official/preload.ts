/** The official SDK as its README starts it; exporters, endpoint and names come from the `OTEL_*` variables. */
import { PgInstrumentation } from "@opentelemetry/instrumentation-pg";
import { PinoInstrumentation } from "@opentelemetry/instrumentation-pino";
import { NodeSDK } from "@opentelemetry/sdk-node";

export const sdk = new NodeSDK({ instrumentations: [new PgInstrumentation(), new PinoInstrumentation()] });
sdk.start();
