import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type OtlpSink, startOtlpSink } from "@vitrine/kit/testing/otlp-sink";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { startVariant } from "../bench/harness/child-process.ts";
import { compare } from "./parity/differences.ts";
import { callerSpanId, factsOf, type Sent } from "./parity/facts.ts";

const sent: readonly Sent[] = [
  ["hello", "/hello?secret=hidden"],
  ["query", "/query/1"],
  ["five", "/five/2"],
  ["failing query", "/failing-query"],
  ["thrown", "/thrown"],
  ["not found", "/wp-admin/setup.php"],
  ["own", "/own"],
].map(([label = "", path = ""], n) => ({ label, path, traceId: `0af7651916cd43dd8448eb211c8031${10 + n}` }));

const runtime = { bun: process.execPath, path: process.env["PATH"] ?? "" };
const folder = join(import.meta.dir, "parity");
const stacks = {
  official: {
    preload: join(folder, "../../bench/kit/apps/official/preload.ts"),
    main: join(folder, "official.ts"),
    // Without it the SDK asks the metadata services of clouds.
    env: { OTEL_NODE_RESOURCE_DETECTORS: "env,host,os,process,serviceinstance" },
  },
  kit: {
    preload: Bun.resolveSync("@vitrine/kit/telemetry/preload", folder),
    main: join(folder, "kit.ts"),
    readyPath: "/health/ready",
    env: {},
  },
} as const;

/** What one stack told of all requests, and the traces the other service was asked in. */
interface Told {
  readonly facts: ReadonlySet<string>;
  readonly called: readonly (string | undefined)[];
}

/** Sends every request once, one after the other, and reads what has arrived when the process has ended. */
async function tell(stack: keyof typeof stacks, databaseUrl: string): Promise<Told> {
  const called: (string | undefined)[] = [];
  await using ends = new AsyncDisposableStack();
  const sink: OtlpSink = await startOtlpSink();
  ends.defer(() => sink.stop());
  const other = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: ({ headers }) => {
      called.push(headers.get("traceparent")?.split("-")[1]);
      return new Response("answer");
    },
  });
  ends.defer(() => other.stop(true));
  const { preload, main, env, ...ready } = stacks[stack];
  const child = await startVariant(
    {
      ...ready,
      name: stack,
      baseline: stack,
      command: [runtime.bun, "--preload", preload, main],
      cwd: folder,
      env: {
        ...env,
        DATABASE_URL: databaseUrl,
        OTHER_URL: other.url.origin,
        OTEL_SERVICE_NAME: "parity",
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
        OTEL_TRACES_EXPORTER: "otlp",
        OTEL_METRICS_EXPORTER: "otlp",
        OTEL_LOGS_EXPORTER: "otlp",
        OTEL_METRIC_EXPORT_INTERVAL: "300",
        OTEL_METRIC_EXPORT_TIMEOUT: "300",
      },
      exports: true,
    },
    runtime,
  );
  for (const { path, traceId } of sent) {
    const headers = { traceparent: `00-${traceId}-${callerSpanId}-01` };
    await (await fetch(new URL(path, child.url), { headers })).arrayBuffer();
  }
  const metrics = await settledMetrics(sink);
  expect(await child.stop()).toBeUndefined();
  return { facts: factsOf({ ...sink, metrics }, sent), called };
}

/** As they are once all is done and before the pool is closed, which counts its connections as it goes. */
async function settledMetrics(sink: OtlpSink): Promise<OtlpSink["metrics"]> {
  const exports = () => sink.requests.filter(({ path }) => path === "/v1/metrics").length;
  // The next one may have been read before the last request had ended; the one after it was not.
  for (const enough = exports() + 2; exports() < enough;) await Bun.sleep(20);
  return new Map(sink.metrics);
}

let official: Told;
let kit: Told;

beforeAll(async () => {
  const { url } = await startPostgres();
  official = await tell("official", url);
  kit = await tell("kit", url);
}, 60_000);
describe("the kit beside the official stack", () => {
  test("tells the same spans, metrics and log records, but for the differences written down", () => {
    expect(compare(official.facts, kit.facts)).toEqual({ unexplained: [], stale: [] });
  });

  test("was asked about everything: no span is missing on both sides", () => {
    const spans = ({ facts }: Told) => [...facts].filter((fact) => fact.includes(": kind = ")).length;
    // Seven requests, two own spans, seven queries with their connects; then the query at the start, or the call.
    expect([spans(official), spans(kit)]).toEqual([7 + 2 + 14 + 3, 7 + 2 + 14 + 1]);
  });

  test("passes the trace on to the other service, which the official stack does not on Bun", () => {
    expect(official.called).toEqual([undefined]);
    expect(kit.called).toEqual([sent.find(({ label }) => label === "five")?.traceId]);
  });
});

test("a difference nobody wrote down is found, whichever side it is on", () => {
  const more = "span (hello, server): sneaked = 1";
  const lost = 'metric shop.price {"house":"a"}: buckets = [2,1,0,1]';
  const without = new Set([...kit.facts].filter((fact) => fact !== lost));
  expect(kit.facts.size - without.size).toBe(1);
  expect(compare(official.facts, new Set([...without, more])).unexplained).toEqual([
    `official: ${lost}`,
    `kit: ${more}`,
  ]);
});
