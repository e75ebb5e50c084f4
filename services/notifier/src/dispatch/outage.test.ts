import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Delivery, WebhookMessage } from "@vitrine/contracts/alerts";
import { Webhook } from "standardwebhooks";
import { type Sink, startSink } from "../testing/sink.ts";
import { startNotifier, type TestNotifier, webhookOf } from "../testing/start-notifier.ts";
import { createDispatcher } from "./dispatcher.ts";
import { maxAgeMs } from "./next-state.ts";

const t0 = Date.parse("2026-11-21T10:00:00Z");
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const minuteMs = 60_000;

let notifier: TestNotifier;
let sink: Sink;
let now = t0;

beforeEach(async () => {
  now = t0;
  sink = startSink();
  notifier = await startNotifier({ now: () => now, timeoutMs: { http: 150, mail: 1_000 } });
  await notifier.addTarget({ name: "sink", channel: "webhook", settings: { url: `${sink.url}hook`, secret } });
});

afterEach(async () => {
  await notifier[Symbol.asyncDispose]();
  await sink.stop();
});

/** Lets time pass in steps of five seconds, sending what is due at each. */
async function pass(ms: number): Promise<void> {
  for (const end = now + ms; now < end;) {
    now = Math.min(end, now + 5_000);
    await notifier.dispatcher.drain();
  }
}

async function tell(service: string, status: "firing" | "resolved" = "firing", startsAt = t0): Promise<void> {
  expect((await notifier.tell(webhookOf({ service, status, startsAt }))).status).toBe(200);
}

function byAlert(changes: readonly WebhookMessage["data"]["alerts"][number][]) {
  const groups = Map.groupBy(changes, ({ labels, startedAt }) => `${labels["service_name"]} ${startedAt}`);
  return [...groups.values()].map((group) => group.map(({ status }) => status));
}

async function deliveries(): Promise<readonly Delivery[]> {
  return (await notifier.read<{ items: readonly Delivery[] }>("/deliveries?limit=100")).items;
}

test("a message arrives at once, signed, and its signature is what the reference library expects", async () => {
  await tell("orders");
  await notifier.dispatcher.drain();
  const [message] = sink.received;
  expect(message?.path).toBe("/hook");
  expect(sink.received).toHaveLength(1);
  const headers = Object.fromEntries(message?.headers ?? []);
  // The library has no clock to be given: what it is shown is signed anew for its own time by its own means.
  const at = new Date(Number(headers["webhook-timestamp"]) * 1_000);
  expect(at.getTime()).toBe(t0);
  expect(headers["webhook-signature"]).toBe(
    new Webhook(secret).sign(headers["webhook-id"] ?? "", at, message?.body ?? ""),
  );
});

const troubles: readonly (readonly [name: string, answer: Sink["answer"]])[] = [
  ["answers 500", () => new Response("", { status: 500 })],
  ["answers 503 with an odd Retry-After", () => new Response("", { status: 503, headers: { "retry-after": "soon" } })],
  ["answers 429", () => new Response("", { status: 429, headers: { "retry-after": "20" } })],
  ["answers 404", () => new Response("", { status: 404 })],
  ["redirects", () => new Response("", { status: 307, headers: { location: "/elsewhere" } })],
  ["hangs", () => new Promise<never>(() => undefined)],
];

describe.each(troubles)("a sink that %s for ten minutes", (_, trouble) => {
  test("gets every alert once by its id, in order per alert, within five and a half minutes of its return", async () => {
    sink.answer = trouble;
    for (const service of ["orders", "inventory", "auth"]) {
      await tell(service);
      await pass(2 * minuteMs);
      await tell(service, "resolved");
    }
    await tell("orders", "firing", now);
    await pass(4 * minuteMs);
    expect(sink.received.every(({ path }) => path === "/hook")).toBe(true);
    // A message held against this sink once does not hammer it: half a minute apart, at the most.
    expect(sink.received.length).toBeLessThan(60);
    sink.received.length = 0;
    sink.answer = () => new Response("");
    await pass(5.5 * minuteMs);
    expect(byAlert(sink.changes()).toSorted((a, b) => b.length - a.length)).toEqual([
      ["firing", "resolved"],
      ["firing", "resolved"],
      ["firing", "resolved"],
      ["firing"],
    ]);
    const bodies = sink.received.map(({ body }) => body);
    expect(new Set(bodies).size).toBe(bodies.length);
    expect((await deliveries()).every(({ state }) => state === "delivered")).toBe(true);
  });
});

test("a message keeps its id and its content over all attempts, whatever happens to its alert meanwhile", async () => {
  sink.answer = () => new Response("", { status: 500 });
  await tell("orders");
  await notifier.dispatcher.drain();
  await tell("orders", "resolved");
  await pass(minuteMs);
  const first = sink.received.filter(
    ({ headers }) => headers.get("webhook-id") === sink.received[0]?.headers.get("webhook-id"),
  );
  expect(first.length).toBeGreaterThan(3);
  expect(new Set(first.map(({ body }) => body)).size).toBe(1);
  expect(new Set(first.map(({ headers }) => headers.get("webhook-timestamp"))).size).toBe(first.length);
});

test("Retry-After is kept, in seconds and as a date, and no longer than an hour", async () => {
  for (const [header, expectedMs] of [
    ["120", 120_000],
    [new Date(t0 + 300_000).toUTCString(), 300_000],
    ["999999", 3_600_000],
  ] as const) {
    await notifier.database.query("delete from deliveries");
    sink.answer = () => new Response("", { status: 429, headers: { "retry-after": header } });
    await tell(`service-${header}`);
    await notifier.dispatcher.drain();
    const [waiting] = await deliveries();
    expect(Date.parse(waiting?.nextAttemptAt ?? "") - now).toBe(expectedMs);
    await notifier.database.query("delete from deliveries");
    now += 2 * 3_600_000;
    sink.answer = () => new Response("");
    await tell(`release-${header}`);
    await notifier.dispatcher.drain();
    now = t0;
  }
});

test("what a sink refuses for good is a dead letter at once, holds nothing up, and can be replayed under its id", async () => {
  sink.answer = (_, body) => new Response("", { status: body.includes("orders") ? 422 : 200 });
  await tell("orders");
  await tell("inventory", "firing", t0 + 1);
  await notifier.dispatcher.drain();
  // The two are one message: nothing had been sent when the second came.
  await tell("auth", "firing", t0 + 2);
  await notifier.dispatcher.drain();
  const [alive, dead] = await deliveries();
  expect(alive).toMatchObject({ state: "delivered", failure: null });
  expect(dead).toMatchObject({
    state: "dead",
    failure: "refused",
    failureStatus: 422,
    attempts: 1,
    nextAttemptAt: null,
  });
  sink.answer = () => new Response("");
  expect((await notifier.call("POST", `/deliveries/${dead?.id}/replay`)).status).toBe(200);
  await notifier.dispatcher.drain();
  expect(sink.received.at(-1)?.headers.get("webhook-id")).toBe(`msg_${dead?.id}`);
  expect((await notifier.call("POST", `/deliveries/${dead?.id}/replay`)).status).toBe(404);
  expect((await deliveries()).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
});

test("a webhook that wants no more is disabled and says so; other targets are told on, and it, too, once enabled again", async () => {
  const other = startSink();
  await notifier.addTarget({ name: "other", channel: "webhook", settings: { url: other.url, secret } });
  const target = async () => (await notifier.targets.list()).find(({ name }) => name === "sink");
  sink.answer = () => new Response("", { status: 410 });
  await tell("orders");
  await notifier.dispatcher.drain();
  expect(await target()).toMatchObject({ enabled: false });
  const dead = (await deliveries()).filter(({ state }) => state === "dead");
  expect(dead).toMatchObject([{ target: { name: "sink" }, failure: "gone", failureStatus: 410 }]);
  expect(notifier.lines.filter(({ action }) => action === "target.gone")).toHaveLength(1);

  await tell("inventory");
  await pass(minuteMs);
  expect(sink.received).toHaveLength(1);
  expect(other.changes()).toHaveLength(2);

  sink.answer = () => new Response("");
  await notifier.call("PATCH", `/targets/${(await target())?.id}`, { enabled: true });
  await tell("auth");
  await pass(minuteMs);
  expect(sink.received.at(-1)?.body).toContain("auth");
  await other.stop();
});

test("a webhook that was changed while it answered that it wants no more stays enabled", async () => {
  const { id = "" } = (await notifier.targets.list())[0] ?? {};
  sink.answer = async () => {
    now += 1;
    await notifier.call("PATCH", `/targets/${id}`, { settings: { url: `${sink.url}elsewhere`, secret } });
    return new Response("", { status: 410 });
  };
  await tell("orders");
  await notifier.dispatcher.drain();
  expect(await notifier.targets.find(id)).toMatchObject({ enabled: true });
});

test("a dead letter that nobody needs any more is discarded; what waits or was delivered is not", async () => {
  sink.answer = () => new Response("", { status: 500 });
  await tell("orders");
  await notifier.dispatcher.drain();
  const discard = async () => (await notifier.call("DELETE", `/deliveries/${(await deliveries())[0]?.id}`)).status;
  expect(await discard()).toBe(404);
  sink.answer = () => new Response("", { status: 410 });
  await pass(minuteMs);
  expect(await discard()).toBe(204);
  expect(await deliveries()).toEqual([]);
});

test("a message is given up after a day, and all dead letters of a target are replayed at once", async () => {
  sink.answer = () => new Response("", { status: 500 });
  await tell("orders");
  await notifier.dispatcher.drain();
  now += maxAgeMs - minuteMs;
  await notifier.dispatcher.drain();
  expect((await deliveries())[0]?.state).toBe("waiting");
  now += 10 * minuteMs;
  await notifier.dispatcher.drain();
  expect((await deliveries())[0]).toMatchObject({
    state: "dead",
    failure: "server_error",
    failureStatus: 500,
    attempts: 3,
  });
  expect(notifier.lines.filter(({ action }) => action === "alert.given_up")).toHaveLength(1);
  sink.answer = () => new Response("");
  const answer = await notifier.call("POST", "/deliveries/replay", { target: (await deliveries())[0]?.target.id });
  expect(await answer.json()).toEqual({ replayed: 1 });
  await notifier.dispatcher.drain();
  expect(byAlert(sink.changes())).toEqual([["firing"]]);
});

test("a sink that hangs does not hold up another", async () => {
  const other = startSink();
  await notifier.addTarget({ name: "other", channel: "webhook", settings: { url: other.url, secret } });
  sink.answer = () => new Promise<never>(() => undefined);
  for (let index = 0; index < 20; index += 1) await tell(`service-${index}`, "firing", t0 + index);
  await pass(minuteMs);
  expect(other.changes()).toHaveLength(20);
  await other.stop();
});

test("nothing is sent to a target that is disabled until it is enabled again", async () => {
  sink.answer = () => new Response("", { status: 500 });
  await tell("orders");
  await notifier.dispatcher.drain();
  const id = (await deliveries())[0]?.target.id ?? "";
  await notifier.call("PATCH", `/targets/${id}`, { enabled: false });
  sink.received.length = 0;
  await pass(10 * minuteMs);
  expect(sink.received).toHaveLength(0);
  sink.answer = () => new Response("");
  await notifier.call("PATCH", `/targets/${id}`, { enabled: true });
  await pass(minuteMs);
  expect(sink.received).toHaveLength(1);
});

test("two processes on one database send each message once, in order per alert", async () => {
  // Nothing hangs here, so nothing may be taken for hanging on a busy machine.
  await using first = await startNotifier({ now: () => now, timeoutMs: { http: 20_000, mail: 1_000 } });
  await first.addTarget({ name: "sink", channel: "webhook", settings: { url: `${sink.url}hook`, secret } });
  const second = createDispatcher(first);
  sink.answer = async () => {
    await Bun.sleep(3);
    return new Response("");
  };
  const both = [first.dispatcher, second];
  for (const dispatcher of both) dispatcher.start();
  for (let round = 0; round < 10; round += 1) {
    for (const service of ["orders", "inventory", "auth"]) {
      await first.tell(webhookOf({ service, status: round % 2 === 0 ? "firing" : "resolved", startsAt: t0 }));
      for (const dispatcher of both) dispatcher.wake();
    }
  }
  while (sink.changes().length < 30) await Bun.sleep(5);
  await Promise.all(both.map((dispatcher) => dispatcher.stop()));
  const ids = sink.received.map(({ headers }) => headers.get("webhook-id"));
  expect(new Set(ids).size).toBe(ids.length);
  const order = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? "firing" : "resolved"));
  expect(byAlert(sink.changes())).toEqual([order, order, order]);
});
