import { afterEach, beforeEach, expect, test } from "bun:test";
import { startTestTelemetry, type TestTelemetry } from "@vitrine/kit/testing/telemetry";
import { type Sink, startSink } from "./testing/sink.ts";
import { startNotifier, type TestNotifier, webhookOf } from "./testing/start-notifier.ts";

const t0 = Date.parse("2026-11-21T10:00:00Z");
const dayMs = 86_400_000;
const secret = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;

let telemetry: TestTelemetry;
let notifier: TestNotifier;
let sink: Sink;
let now = t0;

beforeEach(async () => {
  now = t0;
  telemetry = startTestTelemetry();
  sink = startSink();
  notifier = await startNotifier({ now: () => now, env: { HISTORY_DAYS: "30" } });
  await notifier.addTarget({ name: "sink", channel: "webhook", settings: { url: sink.url, secret } });
});

afterEach(async () => {
  await notifier[Symbol.asyncDispose]();
  await sink.stop();
  await telemetry.stop();
});

async function points(metric: string): Promise<Readonly<Record<string, number>>> {
  const found = await telemetry.points(metric);
  return Object.fromEntries(
    found.map(({ attributes, value }) => [Object.values(attributes).map(String).toSorted().join(" "), value]),
  );
}

test("alerts, attempts, the delay and what waits are told as metrics, by target and by what went wrong", async () => {
  await notifier.tell(webhookOf({ startsAt: t0 }));
  await notifier.tell(webhookOf({ startsAt: t0 }));
  sink.answer = () => new Response("", { status: 503 });
  await notifier.dispatcher.drain();
  now += 120_000;
  await notifier.keeper.round();
  expect(await points("notifier.alerts")).toEqual({ "critical firing": 1 });
  expect(await points("notifier.messages")).toEqual({ due: 1, held: 0, dead: 0 });
  expect(await points("notifier.oldest_due.age")).toEqual({ sink: 120 });
  sink.answer = () => new Response("");
  await notifier.dispatcher.drain();
  await notifier.keeper.round();
  expect(await points("notifier.attempts")).toEqual({
    "retried server_error sink webhook": 1,
    "delivered sink webhook": 1,
  });
  expect(await telemetry.histogram("notifier.delivery.delay")).toMatchObject([{ count: 1, sum: 120 }]);
  expect(await points("notifier.oldest_due.age")).toEqual({ sink: 0 });
  expect(telemetry.spans().filter(({ name }) => name === "deliver")).toHaveLength(2);
});

test("what quiet hours hold back is no delay", async () => {
  const windows = [{ days: ["saturday" as const], from: "00:00", to: "24:00" }];
  const quietHours = { timeZone: "UTC", tiers: ["critical" as const], windows };
  await notifier.addTarget({ name: "sleeper", channel: "webhook", settings: { url: sink.url, secret }, quietHours });
  await notifier.tell(webhookOf({ startsAt: t0 }));
  now += 3_600_000;
  await notifier.keeper.round();
  expect(await points("notifier.messages")).toEqual({ due: 1, held: 1, dead: 0 });
  expect(await points("notifier.oldest_due.age")).toEqual({ sink: 3_600, sleeper: 0 });
});

test("alerts that are over, and messages, are kept for as long as was set and no longer; what fires stays", async () => {
  await notifier.tell(webhookOf({ startsAt: t0 }, { startsAt: t0, service: "inventory" }));
  await notifier.tell(webhookOf({ startsAt: t0, status: "resolved" }));
  await notifier.dispatcher.drain();
  const counts = async () => {
    await notifier.keeper.round();
    const [row] = await notifier.database.query<{ alerts: number; deliveries: number }>(
      `select (select count(*)::integer from alerts) as alerts, (select count(*)::integer from deliveries) as deliveries`,
    );
    return row;
  };
  now += 29 * dayMs;
  expect(await counts()).toEqual({ alerts: 2, deliveries: 1 });
  now += 2 * dayMs;
  expect(await counts()).toEqual({ alerts: 1, deliveries: 0 });
});
