import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePort, startPostgres } from "@vitrine/kit/testing/postgres";
import { until } from "@vitrine/kit/testing/eventually";
import { type Sink, startSink } from "./testing/sink.ts";
import { alertmanagerToken, webhookOf } from "./testing/start-notifier.ts";

const secret = `whsec_${randomBytes(32).toString("base64")}`;
const t0 = Date.parse("2026-11-21T10:00:00Z");
const services = Array.from({ length: 8 }, (_, index) => `service-${index}`);
const rounds = 12;
const maxKills = 6;

let sink: Sink;

beforeEach(() => {
  sink = startSink();
});

afterEach(() => sink.stop());

async function environment() {
  return {
    PATH: process.env["PATH"] ?? "",
    OTEL_SERVICE_NAME: "notifier",
    OTEL_SDK_DISABLED: "true",
    LOG_SINK: "none",
    PORT: String(await freePort()),
    // That auth is away must hold nothing up.
    AUTH_URL: `http://127.0.0.1:${await freePort()}`,
    DATABASE_URL: (await startPostgres()).url,
    KEY_ENCRYPTION_KEY: randomBytes(32).toString("base64url"),
    ALERTMANAGER_TOKEN: alertmanagerToken,
    ALLOWED_NETWORKS: "127.0.0.1",
    TARGETS: JSON.stringify([{ name: "sink", channel: "webhook", settings: { url: sink.url, secret } }]),
  };
}

function run(env: Record<string, string>) {
  return Bun.spawn([process.execPath, "--no-orphans", "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"], {
    cwd: join(import.meta.dir, ".."),
    env,
    stdout: "pipe",
    stderr: "inherit",
  });
}

function tellOnce(url: string, body: unknown): Promise<Response | undefined> {
  return fetch(`${url}/api/notifier/alertmanager`, {
    method: "POST",
    headers: { authorization: `Bearer ${alertmanagerToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(2_000),
  }).catch(() => undefined);
}

/** As Alertmanager does: again and again until it is answered with 200. */
async function tell(url: string, body: unknown): Promise<void> {
  while ((await tellOnce(url, body))?.status !== 200) await Bun.sleep(50);
}

test("no alert is lost or out of order, and none has two contents under one id, though the process is killed again and again", async () => {
  const env = await environment();
  const url = `http://127.0.0.1:${env["PORT"]}`;
  let child = run(env);
  let over = false;
  let kills = 0;
  // Slow and unsure, so that most kills strike while something is being sent.
  sink.answer = async () => {
    await Bun.sleep(Math.random() * 60);
    return new Response("", { status: Math.random() < 0.05 ? 503 : 200, headers: { "retry-after": "0.2" } });
  };
  const killer = (async () => {
    while (!over && kills < maxKills) {
      await until(() => sink.received.length > kills * 4 || over);
      await Bun.sleep(Math.random() * 40);
      if (over) return;
      child.kill("SIGKILL");
      await child.exited;
      kills += 1;
      child = run(env);
    }
  })();
  for (let round = 0; round < rounds; round += 1) {
    const status = round % 2 === 0 ? "firing" : "resolved";
    const before = sink.received.length;
    for (const service of services) await tell(url, webhookOf({ service, status, startsAt: t0 }));
    await until(() => sink.received.length > before);
  }
  over = true;
  await killer;
  await until(() => sink.changes().length === services.length * rounds);
  expect(kills).toBeGreaterThan(2);
  for (const service of services) {
    const changes = sink.changes().filter(({ labels }) => labels["service_name"] === service);
    expect(changes.map(({ id }) => id.split(".")[1])).toEqual(
      Array.from({ length: rounds }, (_, index) => String(index + 1)),
    );
  }
  const bodies = Map.groupBy(sink.received, ({ headers }) => headers.get("webhook-id"));
  for (const sent of bodies.values()) expect(new Set(sent.map(({ body }) => body)).size).toBe(1);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
}, 120_000);

test("what is being sent when the service is told to stop is finished, and the stop does not wait for a sink that hangs", async () => {
  const env = await environment();
  const url = `http://127.0.0.1:${env["PORT"]}`;
  const child = run(env);
  const hanging = Promise.withResolvers<Response>();
  const arrived = Promise.withResolvers<void>();
  sink.answer = () => {
    arrived.resolve();
    return hanging.promise;
  };
  await tell(url, webhookOf({ startsAt: t0 }));
  await arrived.promise;
  child.kill("SIGTERM");
  const stopping = performance.now();
  expect(await child.exited).toBe(0);
  expect(performance.now() - stopping).toBeLessThan(6_000);
  hanging.resolve(new Response(""));

  // Nobody knows whether it arrived: it is sent again, under the same id.
  const before = sink.received.length;
  sink.answer = () => new Response("");
  const next = run(env);
  await until(() => sink.received.length > before + 1);
  const ids = sink.received.slice(before).map(({ headers }) => headers.get("webhook-id"));
  expect(new Set(ids).size).toBe(1);
  next.kill("SIGTERM");
  await next.exited;
}, 60_000);

test("a notifier that never had its database tells preset targets all the same, once, and stores it when there is one", async () => {
  const postgres = await startPostgres({ ownServer: true });
  await postgres.stopServer();
  const env = { ...(await environment()), DATABASE_URL: postgres.url };
  const url = `http://127.0.0.1:${env.PORT}`;
  const child = run(env);
  const post = (body: unknown) => tellOnce(url, body).then((answer) => answer?.status);
  const down = webhookOf({ name: "DatabaseDown", startsAt: t0 });
  await until(async () => {
    expect(await post(down)).not.toBe(200);
    return sink.received.length > 0;
  });
  // There may be other targets, which nobody knows of yet: it must come again.
  expect(await post(down)).toBe(503);
  expect((await fetch(`${url}/api/notifier/targets`)).status).toBe(503);
  const ready = await fetch(`${url}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ checks: { outbox: "without the database only preset targets are told" } });
  await postgres.startServer();
  await tell(url, down);
  await tell(url, webhookOf({ name: "DatabaseDown", startsAt: t0, status: "resolved" }));
  await until(() => sink.changes().length === 2);
  expect(sink.received).toHaveLength(2);
  expect(sink.changes().map(({ id }) => id.split(".")[1])).toEqual(["1", "2"]);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
}, 60_000);

test("a configuration that is not valid ends the process with 1 and one line that names what is wrong and no secret", async () => {
  const targets = [
    { name: "Sink", channel: "webhook", settings: { url: "https://u:hidden@sink.test", secret: "hidden" } },
  ];
  const child = run({ ...(await environment()), ALERTMANAGER_TOKEN: "short", TARGETS: JSON.stringify(targets) });
  expect(await child.exited).toBe(1);
  const output = await new Response(child.stdout).text();
  const lines = output.trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ action: "config.invalid" });
  for (const named of ["ALERTMANAGER_TOKEN", "[0] name", "[0] settings.url", "[0] settings.secret"])
    expect(output).toContain(named);
  expect(output).not.toContain("hidden");
}, 60_000);
