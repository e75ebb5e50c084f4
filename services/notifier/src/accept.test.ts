import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Alert, Delivery } from "@vitrine/contracts/alerts";
import { retryWindowMs } from "./change.ts";
import { type AlertInput, startNotifier, type TestNotifier, webhookOf } from "./testing/start-notifier.ts";

let notifier: TestNotifier;
let now = 0;
const t0 = Date.parse("2026-11-21T10:00:00Z");

beforeEach(async () => {
  now = t0;
  notifier = await startNotifier({ now: () => now });
});

afterEach(async () => {
  await notifier[Symbol.asyncDispose]();
});

async function alerts(query = ""): Promise<readonly Alert[]> {
  return (await notifier.read<{ items: readonly Alert[] }>(`/alerts${query}`)).items;
}

async function deliveries(query = ""): Promise<readonly Delivery[]> {
  return (await notifier.read<{ items: readonly Delivery[] }>(`/deliveries${query}`)).items;
}

async function told(...inputs: readonly AlertInput[]) {
  const response = await notifier.tell(webhookOf(...inputs));
  expect(response.status).toBe(200);
  return (await response.json()) as { changed: number; messages: number };
}

const chat = { name: "chat", channel: "slack", settings: { url: "https://hooks.test/x" } } as const;

describe("what Alertmanager tells", () => {
  test("is history without any target: an alert from its start to its end", async () => {
    expect(await told({ startsAt: t0 })).toEqual({ changed: 1, messages: 0 });
    now += 60_000;
    await told({ startsAt: t0, status: "resolved", endsAt: t0 + 50_000 });
    expect(await alerts()).toEqual([
      expect.objectContaining({
        name: "HighErrorRate",
        tier: "critical",
        status: "resolved",
        summary: "orders fails",
        startedAt: "2026-11-21T10:00:00.000Z",
        endedAt: "2026-11-21T10:00:50.000Z",
        receivedAt: "2026-11-21T10:00:00.000Z",
        lastReceivedAt: "2026-11-21T10:01:00.000Z",
      }),
    ]);
  });

  test("may be sent any number of times, at once too, and counts once", async () => {
    await notifier.addTarget(chat);
    const answers = await Promise.all(Array.from({ length: 8 }, () => told({ startsAt: t0 })));
    expect(answers.reduce((sum, { changed }) => sum + changed, 0)).toBe(1);
    expect(await alerts()).toHaveLength(1);
    expect(await deliveries()).toHaveLength(1);
  });

  test("is refused without the secret, with a wrong one, and with a person's token", async () => {
    const body = webhookOf({ startsAt: t0 });
    for (const token of ["", "wrong", "of-alertmanager-", await notifier.issuer.sign("alerts:admin")])
      expect((await notifier.tell(body, token)).status).toBe(401);
    expect(await alerts()).toHaveLength(0);
  });

  test("is taken with NUL, lone surrogates and a megabyte in it, and kept as far as it can be", async () => {
    const hostile = `\u0000<script>\ud800\u202e${"x".repeat(1_000_000)}`;
    await told({ startsAt: t0, labels: { evil: hostile }, annotations: { summary: hostile } });
    const [alert] = await alerts();
    expect(alert?.summary).toStartWith("\u{fffd}<script>\u{fffd}");
    expect(alert?.summary.length).toBeLessThanOrEqual(16_384);
  });

  test("is not taken in another form than version 4", async () => {
    for (const body of [{}, { ...webhookOf({ startsAt: t0 }), version: "3" }, [], "x", { version: "4", alerts: [{}] }])
      expect((await notifier.tell(body)).status).toBe(400);
  });

  test("is a reminder when it comes again later, but only if nothing of the group has changed", async () => {
    await notifier.addTarget(chat);
    await told({ startsAt: t0 });
    await notifier.database.query("update deliveries set state = 'delivered', ended_at = now()");
    now += retryWindowMs - 1;
    expect(await told({ startsAt: t0 })).toEqual({ changed: 0, messages: 0 });
    now += 1;
    expect(await told({ startsAt: t0 }, { startsAt: now, service: "inventory" })).toEqual({ changed: 1, messages: 1 });
    await notifier.database.query("update deliveries set state = 'delivered', ended_at = now()");
    now += retryWindowMs;
    expect(await told({ startsAt: t0 })).toEqual({ changed: 1, messages: 1 });
    expect((await deliveries())[0]?.alerts).toEqual([expect.objectContaining({ reminder: true, status: "firing" })]);
  });

  test("reminds nobody who has not been told yet", async () => {
    await notifier.addTarget(chat);
    await told({ startsAt: t0 });
    now += retryWindowMs;
    await told({ startsAt: t0 });
    expect(await deliveries()).toHaveLength(1);
    expect((await deliveries())[0]?.alerts).toHaveLength(1);
  });

  test("starts anew under another id, ends what nobody ended, and fires again after a false end", async () => {
    await told({ startsAt: t0 });
    await told({ startsAt: t0 + 1_000 });
    expect((await alerts()).map(({ status }) => status)).toEqual(["firing", "resolved"]);
    await told({ startsAt: t0 + 1_000, status: "resolved" });
    expect(await told({ startsAt: t0 + 1_000 })).toMatchObject({ changed: 1 });
    const [newest] = await alerts("?status=firing");
    expect(newest).toMatchObject({ status: "firing", endedAt: null, startedAt: "2026-11-21T10:00:01.000Z" });
  });
});

describe("a target is told", () => {
  test("of its tiers and labels only, of ends if it wants them, and of the watchdog if it asks for it", async () => {
    await notifier.addTarget({ ...chat, name: "default" });
    await notifier.addTarget({ ...chat, name: "all", tiers: ["critical", "warning", "info", "watchdog"] });
    await notifier.addTarget({ ...chat, name: "inventory", matchers: { service_name: "inventory" } });
    await notifier.addTarget({ ...chat, name: "starts", sendResolved: false });
    await notifier.addTarget({ ...chat, name: "off", enabled: false });
    const toldOf = async (...inputs: readonly AlertInput[]) => {
      await told(...inputs);
      const names = (await deliveries()).map(({ target }) => target.name).toSorted();
      await notifier.database.query("delete from deliveries");
      return names;
    };
    expect(await toldOf({ startsAt: t0 })).toEqual(["all", "default", "starts"]);
    expect(await toldOf({ startsAt: t0, status: "resolved" })).toEqual(["all", "default"]);
    expect(await toldOf({ startsAt: t0, severity: "info", name: "Note" })).toEqual(["all"]);
    expect(await toldOf({ startsAt: t0, severity: "page", name: "Odd" })).toEqual(["all", "default", "starts"]);
    expect(await toldOf({ startsAt: t0, name: "Watchdog", severity: "info" })).toEqual(["all"]);
    expect(await toldOf({ startsAt: t0, service: "inventory" })).toEqual(["all", "default", "inventory", "starts"]);
  });

  test("once per group and tier, and of what comes while that waits in the same message", async () => {
    await notifier.addTarget(chat);
    await told({ startsAt: t0 }, { startsAt: t0, service: "inventory" }, { startsAt: t0, severity: "warning" });
    await told({ startsAt: t0, service: "auth" });
    const waiting = await deliveries();
    expect(waiting.map(({ tier, alerts: changes }) => `${tier} ${changes.length}`).toSorted()).toEqual([
      "critical 3",
      "warning 1",
    ]);
  });

  test("after its quiet hours, in one message, of what they hold back, and at once of the rest", async () => {
    await notifier.addTarget({
      ...chat,
      quietHours: {
        timeZone: "Asia/Tokyo",
        tiers: ["warning"],
        windows: [{ days: ["saturday"], from: "19:00", to: "07:00" }],
      },
    });
    await told({ startsAt: t0, severity: "warning" }, { startsAt: t0 });
    now += 3_600_000;
    await told({ startsAt: t0, severity: "warning", status: "resolved" });
    const byTier = Object.fromEntries((await deliveries()).map((one) => [one.tier, one]));
    expect(byTier["critical"]?.dueAt).toBe(new Date(t0).toISOString());
    expect(byTier["warning"]).toMatchObject({ dueAt: "2026-11-21T22:00:00.000Z", state: "waiting" });
    expect(byTier["warning"]?.alerts.map(({ status }) => status)).toEqual(["firing", "resolved"]);
  });
});
