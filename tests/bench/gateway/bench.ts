import { join } from "node:path";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { engineNamed } from "../../../dev/engines/engines.ts";
import { provideEngine } from "../../../dev/engines/provide.ts";
import type { Arrivals, Bench, BenchScope, Prepared, Skipped, Variant } from "../harness/bench.ts";
import { type CollectorGate, startCollector } from "./collector.ts";
import { type Cores, planCores } from "./cores.ts";
import { nginxVariants, startNginx } from "./nginx.ts";
import { type Tokens, toRoutes } from "./scenarios.ts";
import { targetLines } from "./targets.ts";

const gateway = join(import.meta.dir, "../../../services/gateway");
const tokenCount = 1_000;

/** What a gate costs: ours, nginx asking a verify service, the collector's own, and none, before the same sink. */
export function gatewayBench(path: string): Bench {
  const cores = planCores(path);
  return {
    name: "gateway",
    title: `OTLP posts through a gate into one sink; ${cores.pinned ? "each gate on one core, all else beside it" : "nothing is pinned: no taskset or a single core"}`,
    sink: join(import.meta.dir, "sink/main.ts"),
    aside: cores.rest,
    targets: (measurements) => targetLines(measurements, "16 KiB"),
    prepare: async (scope) => {
      const issuer = await createTestIssuer();
      const jwks = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => answer(request, issuer) });
      scope.own(() => jwks.stop(true));
      const tokens = await signTokens(issuer);
      const routes = toRoutes(scope.settings.scenarios, tokens);
      const gate = { scope, cores, tokens, issuer, auth: jwks.url.origin };
      const skipped: Skipped[] = [];
      const none: Variant = {
        name: "none",
        baseline: "none",
        command: [],
        cwd: gateway,
        env: {},
        exports: true,
        target: new URL(scope.otlpEndpoint("none")),
        beside: [scope.sinkPid],
      };
      const variants = [none, gatewayVariant(gate, "gateway", "none", scope.otlpEndpoint("gateway"))];
      for (const name of nginxVariants) {
        if (!wanted(scope, name)) {
          skipped.push({ variant: name, reason: "not asked for" });
          continue;
        }
        const nginx = await startNginx(name, scope, cores, {
          JWKS_URL: `${gate.auth}/.well-known/jwks.json`,
          TOKEN_ISSUER: issuer.issuer,
          TOKEN_AUDIENCE: issuer.audience,
        });
        if ("reason" in nginx) skipped.push({ variant: name, reason: nginx.reason });
        else variants.push({ ...none, ...nginx, name });
      }
      const collectors = await collectorVariants(gate);
      return { routes, variants: [...variants, ...collectors.variants], skipped: [...skipped, ...collectors.skipped] };
    },
  };
}

interface Gate {
  readonly scope: BenchScope;
  readonly cores: Cores;
  readonly tokens: Tokens;
  readonly issuer: TestIssuer;
  readonly auth: string;
}

/** Everything the bench starts beside the harness costs memory and a core: not for variants that are left out. */
function wanted({ settings }: BenchScope, variant: string): boolean {
  return settings.only.length === 0 || settings.only.includes(variant);
}

function answer(request: Request, issuer: TestIssuer): Promise<Response> | Response {
  if (new URL(request.url).pathname === "/.well-known/jwks.json") return issuer.jwksFetch(request.url);
  return new Response(null, { status: 404 });
}

async function signTokens(issuer: TestIssuer): Promise<Tokens> {
  const now = Math.floor(Date.now() / 1_000);
  // Longer than any run: what is measured is not the refresh of tokens.
  const life = { iat: now, exp: now + 3_600, client_id: "bench", service: "bench" };
  const first = await issuer.sign("telemetry:write", life);
  const more = await Promise.all(Array.from({ length: tokenCount - 1 }, () => issuer.sign("telemetry:write", life)));
  const stranger = await createTestIssuer();
  return {
    valid: [first, ...more],
    refused: [
      await stranger.sign("telemetry:write", life),
      await issuer.sign("telemetry:write", { ...life, iat: now - 7_200, exp: now - 3_600 }),
      await issuer.sign("telemetry:write", { ...life, aud: "elsewhere" }),
      "",
    ],
  };
}

function gatewayVariant(gate: Gate, name: string, baseline: string, upstream: string): Variant {
  const { bun } = gate.scope.runtime;
  return {
    name,
    baseline,
    command: [...gate.cores.gate, bun, "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"],
    cwd: gateway,
    env: {
      NODE_ENV: "production",
      OTLP_PORT: "0",
      AUTH_URL: gate.auth,
      TOKEN_ISSUER: gate.issuer.issuer,
      TOKEN_AUDIENCE: gate.issuer.audience,
      COLLECTOR_URL: upstream,
      OTEL_SERVICE_NAME: "gateway",
      // One client here is as busy as many: what is measured is the way, not the quotas.
      QUOTA_INGEST_REQUESTS_PER_SECOND: "0",
      QUOTA_INGEST_BYTES_PER_SECOND: "0",
      QUOTA_INGEST_IN_FLIGHT: "0",
      QUOTA_FAILURES_PER_SECOND: "0",
      // Its own metrics and logs are part of what it costs; they are counted apart.
      OTEL_EXPORTER_OTLP_ENDPOINT: gate.scope.otlpEndpoint(`${name}-own`),
    },
    exports: true,
    readyPath: "/health/ready",
  };
}

async function collectorVariants(gate: Gate): Promise<Pick<Prepared, "variants" | "skipped">> {
  const { scope, cores, tokens } = gate;
  const names = ["bearertoken", "oidc", "none-collector", "gateway-collector"];
  const asked = names.some((name) => wanted(scope, name));
  const found = asked ? await findCollector() : { reason: "not asked for" };
  if ("reason" in found) {
    return { variants: [], skipped: names.map((variant) => ({ variant, reason: found.reason })) };
  }
  const { binary } = found;
  const own = { command: [], cwd: gateway, env: {}, exports: true };
  const keySet = await (await gate.issuer.jwksFetch("")).text();
  const gates: readonly (readonly [string, CollectorGate])[] = [
    ["bearertoken", { extension: "bearertokenauth", tokens: tokens.valid }],
    ["oidc", { extension: "oidc", issuer: gate.issuer.issuer, audience: gate.issuer.audience, keySet }],
  ];
  const gated: Variant[] = [];
  for (const [name, collectorGate] of gates) {
    const exportTo = scope.otlpEndpoint(name);
    const processors = cores.pinned ? { processors: 1 } : {};
    const { url, pid } = await startCollector(scope, {
      binary,
      before: cores.gate,
      exportTo,
      gate: collectorGate,
      ...processors,
    });
    // It decodes and encodes what it passes on, and the bytes are others.
    gated.push({ ...own, name, baseline: "none", target: url, beside: [pid], counts: () => postsAt(exportTo) });
  }
  const open = await startCollector(scope, { binary, before: cores.rest });
  const behind = await startCollector(scope, { binary, before: cores.rest });
  return {
    variants: [
      ...gated,
      {
        ...own,
        name: "none-collector",
        baseline: "none-collector",
        target: open.url,
        beside: [open.pid],
        counts: open.records,
      },
      {
        ...gatewayVariant(gate, "gateway-collector", "none-collector", behind.url.origin),
        beside: [behind.pid],
        counts: behind.records,
      },
    ],
    skipped: [],
  };
}

async function postsAt(endpoint: string): Promise<Arrivals> {
  const { posts = 0 } = (await (await fetch(`${endpoint}/counts`)).json()) as Arrivals;
  return { posts };
}

/** From the cache or PATH: a build of the collector takes minutes and belongs to `bun run engines build`. */
async function findCollector(): Promise<{ readonly binary: string } | { readonly reason: string }> {
  const engine = engineNamed("collector");
  if (engine === undefined) return { reason: "no collector in the list of engines" };
  const found = await provideEngine(engine, { mode: "native" }).catch((error: unknown) => error);
  if (found instanceof Error) return { reason: found.message };
  const { kind, path } = found as { readonly kind: string; readonly path: string };
  if (kind !== "binary") return { reason: "the collector is an image here" };
  return { binary: path };
}
