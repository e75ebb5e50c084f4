/** One app for both stacks: what they differ in is what stands around it. Only the API of OpenTelemetry is used here. */
import { context, logs, metrics, SeverityNumber, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { Hono } from "hono";

export interface Parts {
  readonly query: (text: string, values: readonly unknown[]) => Promise<unknown>;
  readonly call: (url: string) => Promise<Response>;
  /** One line of the service's own logger. */
  readonly say: (message: string) => void;
}

export function parityRoutes({ query, call, say }: Parts, otherService: string): Hono {
  const own = ownTelemetry();
  return new Hono()
    .get("/hello", (c) => c.text("hello"))
    .get("/query/:id", async (c) => {
      await query("select $1::int as id", [Number(c.req.param("id"))]);
      return c.text("queried");
    })
    .get("/five/:id", async (c) => {
      for (let n = 0; n < 5; n++) await query("select $1::int + $2::int as sum", [Number(c.req.param("id")), n]);
      const answer = await call(`${otherService}/answer?secret=hidden`);
      return c.text(await answer.text());
    })
    .get("/failing-query", async (c) => {
      await query("select 1 / $1::int as never", [0]);
      return c.text("never");
    })
    .get("/thrown", () => {
      throw new RangeError("thrown on purpose");
    })
    .get("/own", (c) => {
      own();
      say("said by the logger");
      return c.text("own");
    });
}

const elsewhere = { traceId: "6e0c63257de34c926f9efcd03927272e", spanId: "53995c3f42cd8ad8", traceFlags: 1 };

/** Everything a user may say through the API: whatever a stack does not pass on as it came is a difference. */
function ownTelemetry(): () => void {
  const meter = metrics.getMeter("shop", "1.2.3");
  const bids = meter.createCounter("shop.bids", { unit: "{bid}", description: "Bids taken." });
  const waiting = meter.createUpDownCounter("shop.waiting", { unit: "{person}" });
  const prices = meter.createHistogram("shop.price", {
    unit: "EUR",
    advice: { explicitBucketBoundaries: [10, 100, 1_000] },
  });
  const ages = meter.createHistogram("shop.age", { unit: "s" });
  const warmth = meter.createGauge("shop.warmth", { unit: "Cel" });
  meter.createObservableCounter("shop.seen", { unit: "{look}" }).addCallback((result) => result.observe(7, { eye: 1 }));
  const tracer = trace.getTracer("shop", "1.2.3");
  const logger = logs.getLogger("shop", "1.2.3");
  return () => {
    const attributes = { text: "Café", number: 1.5, whole: 7, true: true, texts: ["a", "b"], numbers: [1, 2] };
    const links = [{ context: elsewhere, attributes: { why: "follows" } }];
    tracer.startActiveSpan("weigh", { kind: SpanKind.PRODUCER, attributes, links }, (span) => {
      span.addEvent("weighed", { grams: 12 });
      span.addEvent("bare");
      span.addLink({ context: { ...elsewhere, spanId: "00f067aa0ba902b7" } });
      tracer.startSpan("inner", { kind: SpanKind.CONSUMER }).setStatus({ code: SpanStatusCode.OK }).end();
      span.recordException(new TypeError("not a number"));
      span.setStatus({ code: SpanStatusCode.ERROR, message: "too heavy" });
      for (const [amount, kind] of [
        [1, "first"],
        [2, "second"],
        [3, "first"],
      ] as const)
        bids.add(amount, { kind, whole: true });
      waiting.add(3);
      waiting.add(-1);
      for (const price of [5, 10, 11, 5_000]) prices.record(price, { house: "a" });
      ages.record(30);
      warmth.record(21.5, { room: "north" });
      logger.emit({
        body: "a record",
        eventName: "shop.weighed",
        severityNumber: SeverityNumber.WARN2,
        severityText: "caution",
        attributes: { text: "Café", whole: 7, list: ["a", 1], deep: { inner: true } },
        context: context.active(),
      });
      span.end();
    });
  };
}
