import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { startOldPostgres } from "@vitrine/kit/testing/migrations";
import { sealSettings } from "./settings.ts";
import { startSink } from "./testing/sink.ts";
import { startNotifier } from "./testing/start-notifier.ts";

test("messages the first release left waiting go out, in order, to the target it kept; its alerts are found", async () => {
  const sink = startSink();
  const key = randomBytes(32);
  const [alertId, targetId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  let now = Date.now();
  const startedAt = new Date(now - 120_000);
  const told = (status: "firing" | "resolved", revision: number) => ({
    alertId,
    revision,
    status,
    reminder: false,
    fingerprint: "f1",
    name: "HighErrorRate",
    tier: "critical",
    labels: { alertname: "HighErrorRate", severity: "critical" },
    annotations: { summary: "orders fails" },
    startedAt: startedAt.toISOString(),
    endedAt: status === "firing" ? null : new Date().toISOString(),
  });
  const postgres = await startOldPostgres(
    "notifier",
    join(import.meta.dir, "../migrations"),
    "0001-alerts-and-outbox.sql",
    async (database) => {
      await database.query(
        `insert into alerts (id, fingerprint, group_key, name, tier, status, revision, labels, annotations, started_at,
           ended_at, received_at, last_received_at, told_at)
         values ($1, 'f1', 'g1', 'HighErrorRate', 'critical', 'resolved', 2, $2, $3, $4, now(), $4, now(), now())`,
        [alertId, JSON.stringify(told("firing", 1).labels), JSON.stringify(told("firing", 1).annotations), startedAt],
      );
      const settings = { url: sink.url, secrets: [{ secret: `whsec_${key.toString("base64")}`, until: null }] };
      await database.query(
        `insert into targets (id, name, channel, destination, settings, enabled, tiers, matchers, send_resolved, preset,
           created_at, updated_at)
         values ($1, 'sink', 'webhook', $2, $3, true, '{critical}', '[]', true, false, now(), now())`,
        [targetId, sink.url, sealSettings(key, targetId, { channel: "webhook", settings })],
      );
      // The first one failed and waits for its next attempt; the second is due.
      for (const [change, nextAttemptAt] of [
        [told("firing", 1), new Date(now + 60_000)],
        [told("resolved", 2), startedAt],
      ] as const)
        await database.query(
          `insert into deliveries (id, target_id, group_key, tier, changes, fingerprints, alert_ids, created_at, due_at,
             next_attempt_at)
           values ($1, $2, 'g1', 'critical', $3, '{f1}', $4, $5, $5, $6)`,
          [Bun.randomUUIDv7(), targetId, JSON.stringify([change]), [alertId], startedAt, nextAttemptAt],
        );
    },
  );
  await using notifier = await startNotifier({
    postgres,
    env: { KEY_ENCRYPTION_KEY: key.toString("base64url") },
    now: () => now,
    timeoutMs: { http: 20_000, mail: 20_000 },
  });

  await notifier.dispatcher.drain();
  expect(sink.changes()).toEqual([]);
  now += 120_000;
  await notifier.dispatcher.drain();
  expect(sink.changes().map(({ status }) => status)).toEqual(["firing", "resolved"]);
  const { items } = await notifier.read<{ items: readonly { id: string; status: string }[] }>("/alerts");
  expect(items).toMatchObject([{ id: alertId, status: "resolved" }]);
  await sink.stop();
});
