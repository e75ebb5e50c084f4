import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { SMTPServer } from "smtp-server";
import { type Sink, startSink } from "../testing/sink.ts";
import { type AlertInput, startNotifier, type TestNotifier, webhookOf } from "../testing/start-notifier.ts";

/** A server of its own is slow on a busy machine. */
setDefaultTimeout(60_000);

const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const down: AlertInput = { name: "DatabaseDown", startsAt: 1_000 };

let notifier: TestNotifier;
let sink: Sink;

beforeEach(async () => {
  sink = startSink();
  notifier = await startNotifier({ ownServer: true });
  await notifier.addTarget({ name: "sink", channel: "webhook", settings: { url: sink.url, secret } });
  await notifier.keeper.round();
});

afterEach(async () => {
  await notifier[Symbol.asyncDispose]();
  await sink.stop();
});

async function tell(...inputs: readonly AlertInput[]): Promise<number> {
  return (await notifier.tell(webhookOf(...inputs))).status;
}

function saysThat(action: string): boolean {
  return notifier.lines.some((line) => line.action === action);
}

async function alerts(): Promise<readonly unknown[]> {
  return (await notifier.read<{ items: readonly unknown[] }>("/alerts")).items;
}

test("mail goes out without the database, too", async () => {
  const mails: string[] = [];
  const server = new SMTPServer({
    logger: false,
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, _, done) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        mails.push(Buffer.concat(parts).toString("utf8"));
        done();
      });
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  const settings = { host: "127.0.0.1", port, security: "none" as const, from: "a@vitrine.test", to: "b@vitrine.test" };
  await notifier.addTarget({ name: "mail", channel: "mail", settings });
  await notifier.keeper.round();
  await notifier.postgres.stopServer();
  expect(await tell(down)).toBe(200);
  expect(await tell(down)).toBe(200);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toContain("DatabaseDown");
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
});

test("more than can be remembered is not told but left to Alertmanager, and stored when it comes again", async () => {
  await notifier.postgres.stopServer();
  const many = Array.from({ length: 1_000 }, (_, index) => ({ ...down, service: `service-${index}` }));
  expect(await tell(...many)).toBe(200);
  expect(await tell({ ...down, service: "one-more" })).toBe(503);
  expect(sink.changes()).toHaveLength(1_000);
  await notifier.postgres.startServer();
  expect(await tell({ ...down, service: "one-more" })).toBe(200);
  await notifier.dispatcher.drain();
  expect(sink.changes()).toHaveLength(1_001);
});

test("what is being told when the database comes back is told once", async () => {
  await notifier.postgres.stopServer();
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  sink.answer = () => {
    arrived.resolve();
    return answer.promise;
  };
  const first = tell(down);
  await arrived.promise;
  await notifier.postgres.startServer();
  const again = tell(down);
  // Each takes its turn after what came before it.
  for (let round = 0; round < 3; round += 1) await notifier.keeper.round();
  answer.resolve(new Response(""));
  expect(await Promise.all([first, again])).toEqual([200, 200]);
  await notifier.keeper.round();
  await notifier.dispatcher.drain();
  expect(sink.received).toHaveLength(1);
  expect(await alerts()).toHaveLength(1);
});

test("what another process has stored meanwhile is left as it is", async () => {
  const { postgres } = notifier;
  await postgres.stopServer();
  expect(await tell(down)).toBe(200);
  await postgres.startServer();
  await using other = await startNotifier({ postgres });
  expect((await other.tell(webhookOf(down))).status).toBe(200);
  expect((await other.tell(webhookOf({ ...down, status: "resolved" }))).status).toBe(200);
  const [before] = await alerts();
  await notifier.keeper.round();
  expect(saysThat("notifier.caught_up")).toBe(true);
  expect(await alerts()).toEqual([before]);
});

test("what cannot be stored for another reason than the outage holds up no alert that comes after it", async () => {
  await notifier.postgres.stopServer();
  expect(await tell(down)).toBe(200);
  await notifier.postgres.startServer();
  await notifier.postgres.run("alter table deliveries add constraint untried check (attempts = 0)");
  expect(await tell({ ...down, service: "auth" })).toBe(200);
  expect(saysThat("notifier.outbox_failed")).toBe(true);
  expect(await alerts()).toHaveLength(1);
  expect(await tell(down)).toBe(200);
  expect(await alerts()).toHaveLength(2);
});
