import { join } from "node:path";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import type { Bench, BenchScope, Prepared, Route, Skipped, Variant } from "../harness/bench.ts";
import { pieceCount, seedPieces } from "./apps/pieces.ts";
import { startHelper } from "../harness/child-process.ts";
import { buildForNode, findNode } from "./node.ts";

const apps = join(import.meta.dir, "apps");
const workspace = join(import.meta.dir, "../..");

const routes: readonly Route[] = [
  {
    name: "hello",
    requests: [{ method: "GET", path: "/hello" }],
    leaves: { serverSpans: 1, sqlSpans: 0, accessLogs: 1, requestDurations: 1 },
  },
  {
    name: "query",
    // 7 and 1,000 have no common factor: every row is asked for, neighbours not one after the other.
    requests: Array.from({ length: pieceCount }, (_, n) => ({
      method: "GET",
      path: `/query/${((n * 7) % pieceCount) + 1}`,
    })),
    leaves: { serverSpans: 1, sqlSpans: 1, accessLogs: 1, requestDurations: 1 },
  },
  {
    name: "five queries and a call",
    requests: Array.from({ length: pieceCount }, (_, n) => ({ method: "GET", path: `/five/${(n * 7) % pieceCount}` })),
    leaves: { serverSpans: 1, sqlSpans: 5, accessLogs: 1, requestDurations: 1 },
  },
];

/** What telemetry costs a service: the kit beside nothing, beside the official packages, beside Node's way. */
export const kitBench: Bench = {
  name: "kit",
  title: "What the kit's telemetry costs a Hono service, as a share of the same service without it",
  async prepare(scope) {
    const { url } = await startPostgres();
    await seedPieces(url);
    const other = await startHelper(join(apps, "other.ts"), scope.runtime);
    scope.own(() => other.stop());
    const around: Around = { DATABASE_URL: url, OTHER_URL: other.url.href };
    const node = await nodeVariants(scope, around);
    return { routes, variants: [...bunVariants(scope, around), ...node.variants], skipped: node.skipped };
  },
};

/** What every variant is told: the database and the service it calls. */
type Around = Readonly<Record<"DATABASE_URL" | "OTHER_URL", string>>;

function bunVariants(scope: BenchScope, around: Around): readonly Variant[] {
  const { bun } = scope.runtime;
  const common = { baseline: "bare", cwd: workspace, exports: false } as const;
  const plain = join(apps, "bun/main.ts");
  const preload = Bun.resolveSync("@vitrine/kit/telemetry/preload", workspace);
  return [
    { ...common, name: "bare", command: [bun, plain], env: around },
    { ...common, name: "log", command: [bun, plain], env: { ...around, ACCESS_LOG: "on" } },
    {
      ...common,
      name: "kit",
      command: [bun, "--preload", preload, join(apps, "kit/main.ts")],
      // Nothing but the endpoint: batching, intervals and sampling are the kit's own defaults.
      env: {
        ...around,
        OTEL_SERVICE_NAME: "bench-kit",
        OTEL_EXPORTER_OTLP_ENDPOINT: scope.otlpEndpoint("kit"),
      },
      exports: true,
    },
    {
      ...common,
      name: "official",
      command: [bun, "--preload", join(apps, "official/preload.ts"), join(apps, "official/main.ts")],
      env: { ...around, ...officialSettings(scope, "official") },
      exports: true,
    },
  ];
}

async function nodeVariants(scope: BenchScope, around: Around): Promise<Pick<Prepared, "variants" | "skipped">> {
  const found = findNode(scope.runtime.path);
  if ("reason" in found) {
    const skip = (variant: string): Skipped => ({ variant, reason: found.reason });
    return { variants: [], skipped: [skip("node-bare"), skip("node")] };
  }
  const build = await buildForNode(join(apps, "node/main.ts"));
  scope.own(build.remove);
  const common = { baseline: "node-bare", cwd: workspace, mayBeMissing: true } as const;
  const register = require.resolve("@opentelemetry/auto-instrumentations-node/register");
  return {
    variants: [
      {
        ...common,
        name: "node-bare",
        command: [found.node, build.script],
        env: { ...around, NODE_ENV: "production" },
        exports: false,
      },
      {
        ...common,
        name: "node",
        command: [found.node, "--require", register, build.script],
        env: { ...around, NODE_ENV: "production", ACCESS_LOG: "on", ...officialSettings(scope, "node") },
        exports: true,
      },
    ],
    skipped: [],
  };
}

/** All three signals, and the kit's own intervals and queue, so that the same is sent as often and nothing is lost. */
function officialSettings(scope: BenchScope, variant: string): Readonly<Record<string, string>> {
  return {
    OTEL_SERVICE_NAME: `bench-${variant}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: scope.otlpEndpoint(variant),
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "otlp",
    OTEL_LOGS_EXPORTER: "otlp",
    OTEL_BSP_SCHEDULE_DELAY: "1000",
    OTEL_BSP_MAX_QUEUE_SIZE: "8192",
    OTEL_BLRP_SCHEDULE_DELAY: "500",
    OTEL_BLRP_MAX_QUEUE_SIZE: "8192",
    OTEL_METRIC_EXPORT_INTERVAL: "3000",
    OTEL_METRIC_EXPORT_TIMEOUT: "3000",
    // The cloud detectors ask link-local addresses at start; they cost nothing per request.
    OTEL_NODE_RESOURCE_DETECTORS: "env,host,os,process",
  };
}
