/** A program that makes one of everything a limit may cut, and ends by itself. */
import { logs, metrics, trace } from "@opentelemetry/api";

const attributes = { a: "12345678", b: "12345678", c: "12345678", d: "12345678" };
const remote = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
const span = trace.getTracer("fixture").startSpan("limited", {
  attributes,
  links: [1, 2, 3].map(() => ({ context: remote, attributes })),
});
for (const name of ["first", "second", "third"]) span.addEvent(name, attributes);
span.end();
logs.getLogger("fixture").emit({ body: "limited", attributes });
metrics.getMeter("fixture").createCounter("fixture.count").add(1, attributes);
