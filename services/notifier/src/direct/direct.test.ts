import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Delivery } from "@vitrine/contracts/alerts";
import { until } from "@vitrine/kit/testing/eventually";
import { startTestTelemetry, type TestTelemetry } from "@vitrine/kit/testing/telemetry";
import { Webhook } from "standardwebhooks";
import { type Sink, startSink } from "../testing/sink.ts";
import { type AlertInput, startNotifier, type TestNotifier, webhookOf } from "../testing/start-notifier.ts";

/** A server of its own is slow on a busy machine. */
setDefaultTimeout(60_000);

const t0 = Date.parse("2026-11-21T10:00:00Z");
const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

let telemetry: TestTelemetry;
let notifier: TestNotifier;
let sink: Sink;
let now = t0;

beforeEach(async () => {
  now = t0;
  telemetry = startTestTelemetry();
  sink = startSink();
  notifier = await startNotifier({ ownServer: true, now: () => now });
  await notifier.addTarget({ name: "sink", channel: "webhook", settings: { url: sink.url, secret } });
  await notifier.keeper.round();
});

afterEach(async () => {
  await notifier[Symbol.asyncDispose]();
  await sink.stop();
  await telemetry.stop();
});

async function tell(...inputs: readonly AlertInput[]): Promise<number> {
  return (await notifier.tell(webhookOf(...inputs))).status;
}

async function back(): Promise<void> {
  await notifier.postgres.startServer();
  await until(async () => {
    await notifier.keeper.round();
    return (await notifier.call("GET", "/targets")).status === 200;
  });
}

async function deliveries(): Promise<readonly Delivery[]> {
  return (await notifier.read<{ items: readonly Delivery[] }>("/deliveries?limit=100")).items;
}

async function alerts(): Promise<readonly { id: string; name: string; status: string }[]> {
  return (await notifier.read<{ items: readonly { id: string; name: string; status: string }[] }>("/alerts")).items;
}

function told(of: Sink = sink): readonly string[] {
  return of
    .changes()
    .map(({ labels, status, reminder }) => `${labels["service_name"]} ${reminder ? "still " : ""}${status}`);
}

const down: AlertInput = { name: "DatabaseDown", startsAt: t0 };

test("while the database is away an alert is told at once, signed, once however often it comes, and is stored afterwards", async () => {
  await notifier.postgres.stopServer();
  expect(await tell(down)).toBe(200);
  expect(await tell(down)).toBe(200);
  const [message] = sink.received;
  const headers = Object.fromEntries(message?.headers ?? []);
  const signed = new Webhook(secret).sign(headers["webhook-id"] ?? "", new Date(t0), message?.body ?? "");
  expect(headers["webhook-signature"]).toBe(signed);
  now += 60_000;
  expect(await tell({ ...down, status: "resolved" })).toBe(200);
  expect(told()).toEqual(["orders firing", "orders resolved"]);

  await back();
  expect(await tell({ ...down, status: "resolved" })).toBe(200);
  await notifier.dispatcher.drain();
  expect(sink.received).toHaveLength(2);
  const [alert] = await alerts();
  expect(alert).toMatchObject({ name: "DatabaseDown", status: "resolved" });
  expect(sink.changes().map(({ id }) => id)).toEqual([`${alert?.id}.1`, `${alert?.id}.2`]);
  const stored = await deliveries();
  expect(stored.map(({ state, attempts }) => [state, attempts])).toEqual([
    ["delivered", 1],
    ["delivered", 1],
  ]);
  expect(stored.map(({ id }) => `msg_${id}`).toReversed()).toEqual(
    sink.received.map(({ headers: sent }) => sent.get("webhook-id") ?? ""),
  );
  for (const action of ["notifier.degraded", "notifier.caught_up"])
    expect(notifier.lines.filter((line) => line.action === action)).toHaveLength(1);
});

test("what is not stored yet is told by a metric, by the readiness, and attempts are counted as ever", async () => {
  const unstored = async () => (await telemetry.points("notifier.unstored")).map(({ value }) => value);
  expect(await unstored()).toEqual([0]);
  await notifier.receiver.check();
  await notifier.postgres.stopServer();
  await tell(down);
  expect(await unstored()).toEqual([1]);
  await expect(notifier.receiver.check()).rejects.toThrow("not stored yet");
  expect(await telemetry.points("notifier.attempts")).toMatchObject([
    { value: 1, attributes: { outcome: "delivered" } },
  ]);
  await back();
  expect(await unstored()).toEqual([0]);
  await notifier.receiver.check();
  expect(await telemetry.points("notifier.alerts")).toMatchObject([{ value: 1 }]);
});

test("an alert that comes again while it is being told is told once, and the next one does not wait for it", async () => {
  const other = startSink();
  const settings = { url: other.url, secret };
  await notifier.addTarget({ name: "other", channel: "webhook", settings, matchers: { service_name: "auth" } });
  await notifier.keeper.round();
  await notifier.postgres.stopServer();
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  sink.answer = () => {
    arrived.resolve();
    return answer.promise;
  };
  const first = tell(down);
  await arrived.promise;
  const again = tell(down);
  const next = tell({ ...down, service: "auth" });
  await until(() => other.received.length === 1);
  sink.answer = () => new Response("");
  answer.resolve(new Response(""));
  expect(await Promise.all([first, again, next])).toEqual([200, 200, 200]);
  expect(sink.received).toHaveLength(2);
  expect(told()).toEqual(["orders firing", "auth firing"]);
  expect(told(other)).toEqual(["auth firing"]);
  await other.stop();
});

test("who cannot be told stays with Alertmanager, nobody else is told twice, and the message keeps its id over the outage", async () => {
  const other = startSink();
  await notifier.addTarget({ name: "other", channel: "webhook", settings: { url: other.url, secret } });
  await notifier.keeper.round();
  await notifier.postgres.stopServer();
  other.answer = () => new Response("", { status: 503 });
  expect(await tell(down)).toBe(503);
  expect(await tell(down)).toBe(503);
  // It is left alone for a while, as it would be otherwise.
  expect(other.received).toHaveLength(1);
  now += 60_000;
  expect(await tell(down)).toBe(503);
  expect(await tell({ ...down, status: "resolved" })).toBe(503);
  expect(told()).toEqual(["orders firing", "orders resolved"]);

  await back();
  expect(await tell({ ...down, status: "resolved" })).toBe(200);
  other.answer = () => new Response("");
  now += 600_000;
  await notifier.dispatcher.drain();
  expect(told(other)).toEqual(["orders firing", "orders resolved"]);
  const byId = Map.groupBy(other.received, ({ headers }) => headers.get("webhook-id"));
  expect(byId.size).toBe(2);
  for (const [first, ...more] of byId.values())
    for (const { body } of more) expect(JSON.parse(body)).toEqual(JSON.parse(first?.body ?? ""));
  expect(sink.received).toHaveLength(2);
  expect((await deliveries()).every(({ state }) => state === "delivered")).toBe(true);
  await other.stop();
});

test("a target that comes back during the outage is told by the next repetition, all of it and in order", async () => {
  await notifier.postgres.stopServer();
  sink.answer = () => new Response("", { status: 500 });
  expect(await tell(down)).toBe(503);
  now += 60_000;
  sink.answer = () => new Response("");
  expect(await tell({ ...down, status: "resolved" })).toBe(200);
  expect(told()).toEqual(["orders firing", "orders resolved"]);
});

test("routing and quiet hours hold without the database; what is held back is told when they end", async () => {
  const windows = [{ days: ["saturday" as const], from: "00:00", to: "12:00" }];
  const quietHours = { timeZone: "UTC", tiers: ["warning" as const], windows };
  const settings = { url: sink.url, secret };
  await notifier.call("PATCH", `/targets/${(await notifier.targets.list())[0]?.id}`, { enabled: false });
  await notifier.addTarget({ name: "sleeper", channel: "webhook", settings, quietHours });
  await notifier.addTarget({ name: "auth-only", channel: "webhook", settings, matchers: { service_name: "auth" } });
  await notifier.keeper.round();
  await notifier.postgres.stopServer();
  expect(await tell({ ...down, severity: "warning" })).toBe(503);
  expect(await tell({ ...down, severity: "info" })).toBe(503);
  expect(sink.received).toHaveLength(0);
  expect(await tell(down)).toBe(200);
  expect(sink.received).toHaveLength(1);
  await back();
  expect(await tell({ ...down, severity: "warning" })).toBe(200);
  await notifier.dispatcher.drain();
  expect(sink.received).toHaveLength(1);
  now += 2 * 3_600_000;
  await notifier.dispatcher.drain();
  expect(sink.changes().map(({ tier }) => tier)).toEqual(["critical", "warning"]);
});

test("what Alertmanager tells no more is over: whoever was told hears so, and of what nobody was told nothing is kept", async () => {
  const other = startSink();
  other.answer = () => new Response("", { status: 503 });
  await notifier.addTarget({ name: "other", channel: "webhook", settings: { url: other.url, secret } });
  await notifier.keeper.round();
  await notifier.postgres.stopServer();
  expect(await tell(down)).toBe(503);
  expect(await tell({ ...down, name: "Note", severity: "info" })).toBe(503);
  await back();
  other.answer = () => new Response("");
  expect(await alerts()).toEqual([]);
  now += 540_000;
  expect(await tell({ ...down, name: "Watchdog" })).toBe(200);
  expect((await alerts()).map(({ name }) => name)).toEqual(["Watchdog"]);
  now += 120_000;
  expect(await tell({ ...down, name: "Watchdog", startsAt: now })).toBe(200);
  await notifier.dispatcher.drain();
  for (const one of [sink, other]) expect(told(one)).toEqual(["orders firing", "orders resolved"]);
  const kept = (await alerts()).filter(({ name }) => name !== "Watchdog");
  expect(kept.map(({ name, status }) => `${name} ${status}`)).toEqual(["DatabaseDown resolved"]);
  await other.stop();
});

test("nothing gets ahead of what waits in the outbox about the same alert", async () => {
  sink.answer = () => new Response("", { status: 500 });
  expect(await tell(down)).toBe(200);
  await notifier.dispatcher.drain();
  await notifier.keeper.round();
  await notifier.postgres.stopServer();
  sink.answer = () => new Response("");
  sink.received.length = 0;
  expect(await tell({ ...down, status: "resolved" })).toBe(503);
  expect(sink.received).toHaveLength(0);
  await back();
  expect(await tell({ ...down, status: "resolved" })).toBe(200);
  now += 600_000;
  await notifier.dispatcher.drain();
  expect(told()).toEqual(["orders firing", "orders resolved"]);
});

test("what was told before the outage is not told again in it; its end is, and a reminder when it is time", async () => {
  expect(await tell(down)).toBe(200);
  await notifier.dispatcher.drain();
  await notifier.postgres.stopServer();
  expect(await tell(down)).toBe(200);
  expect(sink.received).toHaveLength(1);
  now += 3_600_000;
  expect(await tell(down)).toBe(200);
  expect(await tell({ ...down, status: "resolved" })).toBe(200);
  expect(told()).toEqual(["orders firing", "orders resolved"]);
  expect(sink.received.map(({ body }) => body.includes('"reminder":true'))).toEqual([false, true, false]);
  await back();
  await notifier.dispatcher.drain();
  expect(sink.received).toHaveLength(3);
  expect(await alerts()).toHaveLength(1);
});
