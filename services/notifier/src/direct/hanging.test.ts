import { expect, test } from "bun:test";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { until } from "@vitrine/kit/testing/eventually";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { startSink } from "../testing/sink.ts";
import { startNotifier, webhookOf } from "../testing/start-notifier.ts";

const secret = `whsec_${Buffer.alloc(32, 4).toString("base64")}`;

/** Stands before a server; while it is frozen nothing comes through, and nothing breaks either. */
async function startProxy(target: string) {
  const { hostname, port } = new URL(target);
  const sockets: Socket[] = [];
  let frozen = false;
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    for (const socket of [client, server]) {
      socket.on("error", () => undefined);
      sockets.push(socket);
      if (frozen) socket.pause();
    }
    client.on("data", (chunk) => server.write(chunk)).on("close", () => server.destroy());
    server.on("data", (chunk) => client.write(chunk)).on("close", () => client.destroy());
    if (frozen) for (const socket of [client, server]) socket.pause();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.listen(0, "127.0.0.1", resolve);
  await promise;
  const url = new URL(target);
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    freeze: (on: boolean) => {
      frozen = on;
      for (const socket of sockets)
        if (on) socket.pause();
        else socket.resume();
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

test("a database that hangs is away, too, and what it was asked to store meanwhile is not told twice once it goes on", async () => {
  const server = await startPostgres();
  const proxy = await startProxy(server.url);
  const sink = startSink();
  {
    await using notifier = await startNotifier({ postgres: { ...server, url: proxy.url } });
    await notifier.addTarget({ name: "sink", channel: "webhook", settings: { url: sink.url, secret } });
    await notifier.keeper.round();
    proxy.freeze(true);
    expect((await notifier.tell(webhookOf({ startsAt: 1_000 }))).status).toBe(200);
    // The first one waited for the database; those that follow do not.
    const startedAt = performance.now();
    expect((await notifier.tell(webhookOf({ startsAt: 1_000, service: "auth" }))).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(sink.changes()).toHaveLength(2);
    proxy.freeze(false);
    await until(async () => {
      await notifier.keeper.round();
      return notifier.lines.some(({ action }) => action === "notifier.caught_up");
    });
    await notifier.dispatcher.drain();
    expect(sink.received).toHaveLength(2);
    expect((await notifier.read<{ items: unknown[] }>("/alerts")).items).toHaveLength(2);
  }
  proxy.stop();
  await sink.stop();
}, 60_000);
