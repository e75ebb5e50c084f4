import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { kill } from "node:process";
import type { Server, Subprocess } from "bun";
import { type OtlpSink, startOtlpSink } from "@vitrine/kit/testing/otlp-sink";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { eventually } from "@vitrine/kit/testing/eventually";

const services = join(import.meta.dir, "../..");
const preload = join(services, "../packages/kit/src/telemetry/preload.ts");

let collector: OtlpSink;
let issuer: TestIssuer;
let auth: Server<undefined>;
let orders: Server<undefined>;
let release: (() => void) | undefined;
let arrived = Promise.withResolvers<void>();
const running: Running[] = [];

interface Running {
  readonly process: Subprocess<"ignore", "pipe", "inherit">;
  /** Addresses in the order they were opened. */
  readonly urls: readonly string[];
  readonly output: () => string;
}

/** Runs the real `main.ts` with the preload, on free ports. */
async function run(env: Record<string, string>): Promise<Running> {
  const child = Bun.spawn([process.execPath, "--preload", preload, "src/main.ts"], {
    cwd: join(services, "gateway"),
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: "0",
      OTLP_PORT: "0",
      AUTH_URL: auth.url.origin,
      ORDERS_URL: orders.url.origin,
      COLLECTOR_URL: collector.url,
      OTEL_SERVICE_NAME: "gateway",
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_BLRP_SCHEDULE_DELAY: "100",
      OTEL_METRIC_EXPORT_INTERVAL: "200",
      ...env,
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  let output = "";
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  void (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += chunk;
      const urls = [...output.matchAll(/listening on (http:\/\/[^/"]+)/g)].map((match) => match[1] ?? "");
      if (urls.length >= 2) resolve(urls);
    }
  })();
  const started: Running = { process: child, urls: await promise, output: () => output };
  running.push(started);
  return started;
}

function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port = 0 } = server;
  void server.stop(true);
  return port;
}

const nobodyListens = (url: string | undefined) =>
  eventually("nobody listens", 20_000, () =>
    fetch(`${url}/health/live`).then(
      () => false,
      () => true,
    ),
  );

const ready = (url: string | undefined) =>
  eventually("ready", 20_000, async () => (await fetch(`${url}/health/ready`)).ok);

beforeAll(async () => {
  collector = await startOtlpSink();
  issuer = await createTestIssuer();
  auth = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      if (new URL(request.url).pathname !== "/oauth/token") return issuer.jwksFetch(request.url);
      const token = await issuer.sign("telemetry:write", { client_id: "inventory", service: "inventory" });
      return Response.json({ access_token: token, token_type: "Bearer", expires_in: 900, scope: "telemetry:write" });
    },
  });
  orders = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      if (new URL(request.url).pathname === "/api/orders/slow") {
        const { promise, resolve } = Promise.withResolvers<void>();
        release = resolve;
        arrived.resolve();
        await promise;
      }
      return Response.json({
        traceparent: request.headers.get("traceparent"),
        id: request.headers.get("x-request-id"),
      });
    },
  });
});

afterAll(async () => {
  for (const { process: child } of running) child.kill("SIGKILL");
  await Promise.all([auth.stop(true), orders.stop(true), collector.stop()]);
});

describe("the gateway as a process", () => {
  test("sends its own telemetry straight to the collector: one trace per request, none for ingest", async () => {
    const { urls } = await run({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const [url, otlp] = urls;
    await ready(url);
    const authorization = `Bearer ${await issuer.sign("orders:read telemetry:write telemetry:read")}`;
    const response = await fetch(`${url}/api/orders/1`, { headers: { authorization, "x-request-id": "req-live-1" } });
    const seen = (await response.json()) as { traceparent: string; id: string };
    expect(seen.id).toBe("req-live-1");
    const ingest = await fetch(`${otlp}/v1/traces`, {
      method: "POST",
      body: new Uint8Array(),
      headers: { authorization, "content-type": "application/x-protobuf" },
    });
    expect(ingest.status).toBe(200);
    const traceId = seen.traceparent.split("-")[1] ?? "";
    await eventually(
      "both spans",
      20_000,
      () => collector.spans.filter((span) => span.traceId === traceId).length === 2,
    );
    const spans = collector.spans.filter((span) => span.traceId === traceId);
    const server = spans.find(({ kind }) => kind === 2);
    expect(server).toMatchObject({ service: "gateway", name: "GET /api/orders/**", parentSpanId: "" });
    expect(server?.attributes).toMatchObject({ "request.id": "req-live-1", "user.id": "anna" });
    expect(spans.find(({ kind }) => kind === 3)?.parentSpanId).toBe(server?.spanId ?? "");
    await eventually("the access log", 20_000, () =>
      collector.logs.some(({ attributes }) => attributes["request_id"] === "req-live-1"),
    );
    await eventually("metrics", 20_000, () => collector.metrics.has("gateway gateway.ingest.requests"));
    expect(collector.metrics.get("gateway gateway.ingest.requests")?.points).toContainEqual(
      expect.objectContaining({ attributes: { "client.id": "test-client", signal: "traces" }, value: 1 }),
    );
    expect(collector.spans.filter(({ name }) => name.includes("/v1/"))).toEqual([]);
    expect(JSON.stringify([collector.spans, collector.logs])).not.toContain(authorization.slice(-40));
    await eventually("health and ages", 20_000, () =>
      ["gateway.jwks.age", "gateway.upstream.up", "gateway.request.duration", "gateway.requests.held"].every((name) =>
        collector.metrics.has(`gateway ${name}`),
      ),
    );
    const metrics = await fetch(`${url}/metrics`, { headers: { authorization } });
    expect(await metrics.text()).toContain("http_server_request_duration");
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
  });

  test("carries the kit's exporter of another service, stamped with that service's client", async () => {
    const { urls } = await run({});
    await ready(urls[0]);
    await run({
      OTEL_SERVICE_NAME: "inventory",
      OTEL_EXPORTER_OTLP_ENDPOINT: urls[1] ?? "",
      CLIENT_ID: "inventory",
      CLIENT_SECRET: "secret-of-inventory",
    });
    await eventually("metrics of the client", 20_000, () =>
      [...collector.metrics.keys()].some((key) => key.startsWith("inventory ")),
    );
    const stamped = collector.requests.filter(({ headers }) => headers.get("x-client-id") === "inventory");
    expect(stamped.length).toBeGreaterThan(0);
    expect(
      stamped.every(({ headers }) => headers.get("x-client-service") === "inventory" && !headers.has("authorization")),
    ).toBe(true);
  });

  test("is ready while the collector is away, and says so; is not ready without keys", async () => {
    const away = "http://127.0.0.1:1";
    const { urls } = await run({ COLLECTOR_URL: away });
    await ready(urls[0]);
    expect(await (await fetch(`${urls[0]}/health/ready`)).json()).toEqual({
      ready: true,
      checks: { collector: "unreachable" },
    });
    const keyless = await run({ AUTH_URL: away });
    const health = await fetch(`${keyless.urls[0]}/health/ready`);
    expect(health.status).toBe(503);
    const ingest = await fetch(`${keyless.urls[1]}/v1/logs`, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect([ingest.status, ingest.headers.get("retry-after"), ingest.headers.get("content-type")]).toEqual([
      503,
      "1",
      "application/json",
    ]);
  });

  test("shares its ports with other processes where told to, and goes on when one of them ends", async () => {
    const port = String(freePort());
    const env = { PORT: port, REUSE_PORT: "on" };
    const first = await run(env);
    const second = await run(env);
    await ready(first.urls[0]);
    expect(second.urls[0]).toBe(first.urls[0] ?? "");
    first.process.kill("SIGTERM");
    expect(await first.process.exited).toBe(0);
    expect((await fetch(`${second.urls[0]}/health/live`)).status).toBe(200);
  }, 60_000);

  test("keeps as many processes on its ports as it is told to, starts one that dies again, and ends with all of them", async () => {
    const ports = { PORT: String(freePort()), OTLP_PORT: String(freePort()) };
    const { urls, process: child, output } = await run({ ...ports, GATEWAY_PROCESSES: "2" });
    await ready(urls[0]);
    const startedOn = () => output().split(`listening on ${urls[0]}`).length - 1;
    await eventually("both processes listen", 20_000, () => startedOn() === 2);
    const [victim] = Bun.spawnSync(["pgrep", "-P", String(child.pid)])
      .stdout.toString()
      .trim()
      .split("\n");
    kill(Number(victim), "SIGKILL");
    await eventually("a third process listens", 20_000, () => startedOn() === 3);
    expect(output()).toContain("gateway.process_ended");
    await ready(urls[0]);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await nobodyListens(urls[0]);
  }, 60_000);

  test("holds a quota with several processes together, and leaves none of them behind when it is killed", async () => {
    const perSecond = 10;
    const { urls, process: child } = await run({
      PORT: String(freePort()),
      OTLP_PORT: String(freePort()),
      GATEWAY_PROCESSES: "2",
      QUOTA_API_REQUESTS_PER_SECOND: String(perSecond),
    });
    await ready(urls[0]);
    const headers = { authorization: `Bearer ${await issuer.sign("orders:read")}`, connection: "close" };
    const startedAt = performance.now();
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch(`${urls[0]}/api/orders/1`, { headers })).status),
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    const accepted = statuses.filter((status) => status === 200).length;
    const burstSeconds = 2;
    expect(accepted).toBeWithin(perSecond, perSecond * (burstSeconds + seconds) + 2);
    child.kill("SIGKILL");
    await nobodyListens(urls[0]);
  }, 60_000);

  test("finishes what it has begun when it is told to stop, and exits with 0", async () => {
    arrived = Promise.withResolvers<void>();
    const { urls, process: child } = await run({});
    await ready(urls[0]);
    const pending = fetch(`${urls[0]}/api/orders/slow`, {
      headers: { authorization: `Bearer ${await issuer.sign("orders:read")}` },
    });
    await arrived.promise;
    child.kill("SIGTERM");
    await nobodyListens(urls[1]);
    release?.();
    expect((await pending).status).toBe(200);
    expect(await child.exited).toBe(0);
  });
});
