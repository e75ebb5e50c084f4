import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type OtlpSink, startOtlpSink } from "../testing/otlp-sink.ts";
import { eventually } from "../testing/eventually.ts";

/** Processes of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

const root = join(import.meta.dir, "..");
let sink: OtlpSink;

beforeEach(async () => {
  sink = await startOtlpSink();
});

afterEach(async () => {
  await sink.stop();
});

/** @param stay keeps it alive until it is killed */
function start(count: number, env: Readonly<Record<string, string>>, ...stay: readonly "stay"[]) {
  return Bun.spawn(
    [
      process.execPath,
      "--preload",
      join(root, "telemetry/preload.ts"),
      join(root, "testing/fixture-loss.ts"),
      String(count),
      ...stay,
    ],
    {
      env: { OTEL_SERVICE_NAME: "lossy", OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env },
      stdout: "ignore",
      stderr: "pipe",
    },
  );
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => String(from + n).padStart(6, "0"));
const spans = () => sink.spans.map(({ name }) => name).toSorted();
const records = () => sink.logs.map(({ body }) => String(body)).toSorted();
const bytesOf = (metric: string) => (signal: string) =>
  (sink.metrics.get(`lossy telemetry.export.${metric}`)?.points ?? [])
    .filter(({ attributes }) => attributes["signal"] === signal)
    .reduce((sum, { value }) => sum + value, 0);
const dropped = bytesOf("dropped");
const pending = bytesOf("pending");

/** Batches of 100, each handed over when it is full and not before. */
const hundreds = {
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "100",
  OTEL_BSP_SCHEDULE_DELAY: "600000",
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "100",
  OTEL_BLRP_SCHEDULE_DELAY: "600000",
};

/** Bytes of spans the endpoint was sent and took. */
async function taken(work: () => Promise<void>, refused: number): Promise<number> {
  let bytes = 0;
  let left = refused;
  sink.answer = async (request) => {
    if (!request.url.endsWith("/v1/traces")) return sink.keep(request);
    if (left > 0) {
      left -= 1;
      return new Response("away", { status: 503 });
    }
    bytes += (await request.clone().arrayBuffer()).byteLength;
    return sink.keep(request);
  };
  await work();
  return bytes;
}

describe("while the endpoint is away", () => {
  test("what is over the buffer is given up, the oldest first, and the metric counts it to the byte", async () => {
    const whole = await taken(async () => void (await start(2_000, hundreds).exited), 0);
    expect(spans()).toEqual(numbers(0, 2_000));
    expect([dropped("traces"), dropped("logs")]).toEqual([0, 0]);

    sink.spans.length = 0;
    let said = "";
    const outage = async () => {
      const program = start(2_000, { ...hundreds, TELEMETRY_BUFFER_BYTES: "65536" });
      said = await new Response(program.stderr).text();
      expect(await program.exited).toBe(0);
    };
    const arrived = await taken(outage, 1);
    // The batch on its way is not given up; of the others the newest are kept, without a gap.
    const rest = spans().slice(100);
    expect(spans().slice(0, 100)).toEqual(numbers(0, 100));
    expect(rest.length).toBeGreaterThanOrEqual(100);
    expect(rest).toEqual(numbers(2_000 - rest.length, 2_000));
    expect(dropped("traces")).toBeGreaterThan(0);
    expect(arrived + dropped("traces")).toBe(whole);
    const told = said.split("\n").filter((line) => line.includes('"telemetry.dropped"') && line.includes('"traces"'));
    expect(told.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { level: "warn", extra: { signal: "traces", reason: "buffer_full" } },
    ]);
  });
});

describe("a crash (SIGKILL)", () => {
  test("takes the batch being filled and nothing that was handed over", async () => {
    const program = start(250, { ...hundreds, OTEL_METRIC_EXPORT_INTERVAL: "200" }, "stay");
    await eventually("two batches of each arrive", 20_000, () => spans().length === 200 && records().length === 200);
    await eventually("the rest is reported as pending", 20_000, () => pending("traces") > 0 && pending("logs") > 0);
    // 50 spans of a hundred characters each, and as many records of six.
    expect(pending("traces")).toBeGreaterThan(50 * 100);
    expect(pending("logs")).toBeLessThan(pending("traces"));
    program.kill("SIGKILL");
    await program.exited;
    expect([spans(), records()]).toEqual([numbers(0, 200), numbers(0, 200)]);
  });

  test("takes nothing that is older than the delays, and pending says so", async () => {
    const delays = {
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "50",
      OTEL_METRIC_EXPORT_INTERVAL: "200",
    };
    const program = start(250, delays, "stay");
    await eventually("all arrives", 20_000, () => spans().length === 250 && records().length === 250);
    await eventually("nothing is pending", 20_000, () => pending("traces") === 0 && sink.metrics.size > 0);
    program.kill("SIGKILL");
    await program.exited;
    expect([spans(), records()]).toEqual([numbers(0, 250), numbers(0, 250)]);
  });

  test("takes what the endpoint has not taken, which is bounded by the buffer", async () => {
    sink.answer = (request) =>
      request.url.endsWith("/v1/metrics") ? sink.keep(request) : new Response("", { status: 503 });
    const settings = { ...hundreds, TELEMETRY_BUFFER_BYTES: "65536", OTEL_METRIC_EXPORT_INTERVAL: "200" };
    const program = start(2_000, settings, "stay");
    await eventually("the buffer is full", 20_000, () => dropped("traces") > 0 && pending("traces") > 0);
    expect(pending("traces")).toBeLessThanOrEqual(65_536);
    program.kill("SIGKILL");
    await program.exited;
    expect(spans()).toEqual([]);
  });
});

describe("stdout that nobody reads", () => {
  test("costs lines there, counted to the line, and not one record", async () => {
    const script = [join(root, "telemetry/preload.ts"), join(root, "testing/fixture-stdout.ts")] as const;
    const program = Bun.spawn([process.execPath, "--preload", ...script], {
      env: { OTEL_SERVICE_NAME: "lossy", OTEL_EXPORTER_OTLP_ENDPOINT: sink.url },
      stdout: "pipe",
      stderr: "inherit",
    });
    const lines = (await new Response(program.stdout).text()).trimEnd().split("\n");
    expect(await program.exited).toBe(0);
    const lost = sink.metrics.get("lossy log.stdout.dropped")?.points[0]?.value ?? 0;
    expect(lost).toBeGreaterThan(500);
    // One line more than were logged: the one that tells the loss.
    expect(lines.length + lost).toBe(5_001);
    expect(sink.logs).toHaveLength(5_001);
  });
});
