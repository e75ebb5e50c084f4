import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type OtlpSink, startOtlpSink } from "../testing/otlp-sink.ts";

/** Processes of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

const root = join(import.meta.dir, "..");

interface Ran {
  readonly sink: OtlpSink;
  readonly code: number;
  readonly stderr: string;
}

/** Runs a program that makes one of everything, with the preload and these variables, to its end. */
async function run(env: Readonly<Record<string, string>>): Promise<Ran> {
  const sink = await startOtlpSink();
  const program = Bun.spawn(
    [process.execPath, "--preload", join(root, "telemetry/preload.ts"), join(root, "testing/fixture-limits.ts")],
    { env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env }, stdout: "ignore", stderr: "pipe" },
  );
  const [code, stderr] = await Promise.all([program.exited, new Response(program.stderr).text()]);
  await sink.stop();
  return { sink, code, stderr };
}

const arrived = ({ sink }: Ran) => ({
  spans: sink.spans.length,
  logs: sink.logs.length,
  metrics: sink.metrics.size > 0,
});

describe("samplers", () => {
  test.each([
    ["always_on", "", 1],
    ["always_off", "", 0],
    ["traceidratio", "0", 0],
    ["traceidratio", "1", 1],
    ["parentbased_always_off", "", 0],
    ["parentbased_traceidratio", "1", 1],
  ])("%s %s keeps %d of 1 span, and every record and metric", async (sampler, arg, spans) => {
    const ran = await run({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg });
    expect(arrived(ran)).toEqual({ spans, logs: 1, metrics: true });
  });
});

describe("limits", () => {
  const names = (item: { readonly attributes: object } | undefined) => Object.keys(item?.attributes ?? {}).join("");

  test("cut what is over them, and say how much", async () => {
    const { sink } = await run({
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "3",
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: "5",
      OTEL_SPAN_EVENT_COUNT_LIMIT: "2",
      OTEL_SPAN_LINK_COUNT_LIMIT: "1",
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: "2",
      OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: "1",
      OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: "1",
      OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: "4",
    });
    const [span] = sink.spans;
    expect(span?.attributes).toEqual({ a: "12345", b: "12345", c: "12345" });
    expect(span?.dropped).toEqual({ attributes: 1, events: 1, links: 2 });
    expect(span?.events.map((event) => [event.name, names(event)])).toEqual([
      ["second", "ab"],
      ["third", "ab"],
    ]);
    expect(span?.links.map(names)).toEqual(["a"]);
    expect(sink.logs[0]?.attributes).toEqual({ a: "1234" });
  });

  test("of all signals stand where none of their own is set", async () => {
    const { sink } = await run({ OTEL_ATTRIBUTE_COUNT_LIMIT: "2", OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "3" });
    expect(sink.spans[0]?.attributes).toEqual({ a: "123", b: "123" });
    expect(sink.logs[0]?.attributes).toEqual({ a: "123", b: "123" });
  });
});

describe("resource", () => {
  test("attributes are taken, percent-decoded, and the service's name wins over them", async () => {
    const { sink } = await run({
      OTEL_SERVICE_NAME: "shop",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=other,service.version=1.2.3,deployment.environment.name=a%2Cb",
    });
    expect(sink.spans[0]?.resource).toMatchObject({
      "service.name": "shop",
      "service.version": "1.2.3",
      "deployment.environment.name": "a,b",
    });
    expect(sink.logs[0]?.service).toBe("shop");
    expect(sink.metrics.get("shop fixture.count")?.points[0]?.value).toBe(1);
  });
});

describe("exporters", () => {
  test("of one signal may be away", async () => {
    const ran = await run({ OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" });
    expect(arrived(ran)).toEqual({ spans: 0, logs: 1, metrics: false });
  });

  test("have an endpoint, headers and compression per signal", async () => {
    const own = await startOtlpSink();
    const ran = await run({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${own.url}/v1/traces`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-all=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-own=a%20b",
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "gzip",
    });
    await own.stop();
    expect(arrived(ran)).toEqual({ spans: 0, logs: 1, metrics: true });
    expect(own.spans).toHaveLength(1);
    const [traces] = own.requests;
    expect(["x-all", "x-own", "content-encoding"].map((name) => traces?.headers.get(name))).toEqual([
      "1",
      "a b",
      "gzip",
    ]);
    const [other] = ran.sink.requests;
    expect(["x-all", "x-own", "content-encoding"].map((name) => other?.headers.get(name))).toEqual(["1", null, null]);
  });

  test("are all away, and the SDK with them, when it is disabled", async () => {
    const ran = await run({ OTEL_SDK_DISABLED: "true" });
    expect(arrived(ran)).toEqual({ spans: 0, logs: 0, metrics: false });
    expect(ran.code).toBe(0);
  });

  test.each([
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_TRACES_EXPORTER", "zipkin"],
    ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"],
  ])("%s=%s, which is not to be had, ends the start by name instead of being passed over", async (name, value) => {
    const ran = await run({ [name]: value });
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stderr)).toMatchObject({ action: "config.invalid", level: "fatal" });
    expect(ran.stderr).toContain(`${name}: must be one of`);
  });
});
