import { expect, test } from "bun:test";
import { until } from "@vitrine/kit/testing/eventually";
import { startSink } from "./testing/sink.ts";
import { startNotifier, webhookOf } from "./testing/start-notifier.ts";

const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;

test("while the database is away Alertmanager is told to come back, and afterwards nothing is missing, unasked", async () => {
  await using notifier = await startNotifier({ ownServer: true });
  const sink = startSink();
  await notifier.addTarget({ name: "sink", channel: "webhook", settings: { url: sink.url, secret } });
  notifier.dispatcher.start();

  const sending = Promise.withResolvers<Response>();
  const arrived = Promise.withResolvers<void>();
  sink.answer = () => {
    arrived.resolve();
    return sending.promise;
  };
  expect((await notifier.tell(webhookOf({ startsAt: 1_000 }))).status).toBe(200);
  await arrived.promise;
  await notifier.postgres.stopServer();
  const refused = await notifier.tell(webhookOf({ startsAt: 1_000, status: "resolved" }));
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).not.toBeNull();
  // It arrived, and that cannot be written down any more.
  sink.answer = () => new Response("");
  sending.resolve(new Response(""));
  await until(() => notifier.lines.some(({ action }) => action === "notifier.outbox_failed"));
  await notifier.postgres.startServer();
  while ((await notifier.tell(webhookOf({ startsAt: 1_000, status: "resolved" }))).status !== 200) await Bun.sleep(50);
  await until(() => sink.changes().length === 2);
  expect(sink.changes().map(({ status }) => status)).toEqual(["firing", "resolved"]);
  await sink.stop();
}, 60_000);
