import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { createDeadlines } from "../deadlines.ts";
import { createPool, type Pool } from "./pool.ts";

const head = "POST /v1/logs HTTP/1.1\r\nhost: collector\r\n";
const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const timeoutMs = 5_000;
const opened: { readonly server: Server; readonly pool: Pool; readonly sockets: Set<Socket> }[] = [];

afterEach(async () => {
  for (const { server, pool, sockets } of opened.splice(0)) {
    pool.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

interface World {
  readonly pool: Pool;
  readonly sockets: Set<Socket>;
  readonly requests: () => readonly string[];
  readonly connections: () => number;
}

/** A server that hears requests as text and answers them as it is told; `count` tells how many it has heard. */
async function start(answer: (socket: Socket, count: number) => void): Promise<World> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let heard = "";
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      heard += data.toString("latin1");
      for (let end = endOf(heard); end !== -1; end = endOf(heard)) {
        requests.push(heard.slice(0, end));
        heard = heard.slice(end);
        answer(socket, requests.length);
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const pool = createPool({ hostname: "127.0.0.1", port, deadlines: createDeadlines() });
  opened.push({ server, pool, sockets });
  return { pool, sockets, requests: () => requests, connections: () => connections };
}

/** Where the first request of a text ends; -1 while it is not whole. */
function endOf(text: string): number {
  const from = text.indexOf("\r\n\r\n") + 4;
  if (from === 3) return -1;
  const length = /content-length: (\d+)/.exec(text.slice(0, from))?.[1];
  if (length !== undefined) return text.length >= from + Number(length) ? from + Number(length) : -1;
  const end = text.indexOf("0\r\n\r\n", from);
  return end === -1 ? -1 : end + 5;
}

const content = (text: string) => Uint8Array.from(Buffer.from(text));

function stream(...parts: readonly string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => {
      for (const part of parts) controller.enqueue(content(part));
      controller.close();
    },
  });
}

test("a connection is used again, and one more is opened only when all are busy", async () => {
  const { pool, connections, requests } = await start((socket) => socket.write(ok));
  for (let at = 0; at < 5; at += 1) await pool.post(head, { content: content(`body ${at}`), timeoutMs });
  expect([connections(), requests().length]).toEqual([1, 5]);
  expect(requests()[4]).toBe(`${head}content-length: 6\r\n\r\nbody 4`);
  await Promise.all(Array.from({ length: 10 }, () => pool.post(head, { content: content("x"), timeoutMs })));
  expect(connections()).toBeLessThanOrEqual(10);
  expect(pool.load()).toEqual({ open: connections(), idle: connections() });
});

test("a stream goes out framed by its length where that is known, else in chunks; the client's framing is never seen", async () => {
  const { pool, requests } = await start((socket) => socket.write(ok));
  await pool.post(head, { content: stream("hello ", "", "world"), length: 11, timeoutMs });
  await pool.post(head, { content: stream("hello ", "", "wor\r\nld"), timeoutMs });
  expect(requests()).toEqual([
    `${head}content-length: 11\r\n\r\nhello world`,
    `${head}transfer-encoding: chunked\r\n\r\n6\r\nhello \r\n7\r\nwor\r\nld\r\n0\r\n\r\n`,
  ]);
});

test.each([3, 40])(
  "a stream that does not keep its length (%d) ends the connection, not the request",
  async (length) => {
    const { pool, requests } = await start((socket) => socket.write(ok));
    await expect(pool.post(head, { content: stream("hello"), length, timeoutMs })).rejects.toThrow(/the body is/);
    expect(requests()).toEqual([]);
    expect((await pool.post(head, { content: content("x"), timeoutMs })).status).toBe(200);
    expect(requests()).toHaveLength(1);
  },
);

test("bodies larger than the kernel takes at once arrive whole", async () => {
  const { pool, requests } = await start((socket) => socket.write(ok));
  const large = "0123456789abcdef".repeat(400_000);
  await pool.post(head, { content: content(large), timeoutMs });
  await pool.post(head, { content: stream(large, large), length: 2 * large.length, timeoutMs });
  expect(requests()[0]).toBe(`${head}content-length: ${large.length}\r\n\r\n${large}`);
  expect(requests()[1]).toBe(`${head}content-length: ${2 * large.length}\r\n\r\n${large}${large}`);
});

describe("a request is sent again", () => {
  test("once, on a new connection, when the idle one it was given had died", async () => {
    const { pool, requests, connections } = await start((socket, count) => {
      if (count === 2) socket.destroy();
      else socket.write(ok);
    });
    await pool.post(head, { content: content("first"), timeoutMs });
    expect((await pool.post(head, { content: content("second"), timeoutMs })).status).toBe(200);
    expect(requests().map((text) => text.slice(-6))).toEqual(["\nfirst", "second", "second"]);
    expect(connections()).toBe(2);
  });

  test("never when the new one dies as well", async () => {
    const { pool, requests } = await start((socket, count) => {
      if (count > 1) socket.destroy();
      else socket.write(ok);
    });
    await pool.post(head, { content: content("x"), timeoutMs });
    await expect(pool.post(head, { content: content("x"), timeoutMs })).rejects.toMatchObject({ status: 503 });
    expect(requests()).toHaveLength(3);
  });

  test("never on a first connection, nor once a byte of an answer came, nor when the body was a stream", async () => {
    const first = await start((socket) => socket.destroy());
    await expect(first.pool.post(head, { content: content("x"), timeoutMs })).rejects.toMatchObject({
      reason: "upstream_down",
    });
    expect(first.requests()).toHaveLength(1);
    for (const body of [() => content("x"), () => stream("x")]) {
      const begun = body() instanceof Uint8Array;
      const { pool, requests } = await start((socket, count) => {
        if (count === 1) socket.write(ok);
        else if (begun) socket.write("HTTP/1.1 200", () => socket.destroy());
        else socket.destroy();
      });
      await pool.post(head, { content: content("x"), timeoutMs });
      await expect(pool.post(head, { content: body(), timeoutMs })).rejects.toMatchObject({ status: 503 });
      expect(requests()).toHaveLength(2);
    }
  });
});

describe("a connection is not used again", () => {
  test.each([
    ["said to be closed", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", 200],
    ["with a byte too many", `${ok}!`, 502],
    ["that speaks no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", 502],
  ])("%s", async (_, answer, status) => {
    const { pool, connections } = await start((socket, count) => socket.write(count === 1 ? answer : ok));
    const first = await pool.post(head, { content: content("x"), timeoutMs }).catch((error: unknown) => error);
    expect(first).toMatchObject({ status });
    expect((await pool.post(head, { content: content("x"), timeoutMs })).status).toBe(200);
    expect(connections()).toBe(2);
  });

  test("on which bytes came that nobody asked for: they are nobody's answer", async () => {
    const { pool, sockets, connections } = await start((socket, count) =>
      socket.write(ok.replace("ok", count === 1 ? "1." : "2.")),
    );
    await pool.post(head, { content: content("x"), timeoutMs });
    for (const socket of sockets) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
    while (pool.load().open > 0) await Bun.sleep(1);
    const answer = await pool.post(head, { content: content("x"), timeoutMs });
    expect(Buffer.from(answer.body).toString()).toBe("2.");
    expect(connections()).toBe(2);
  });

  test("that was answered before all of a stream was sent", async () => {
    const { pool, connections, sockets } = await start((socket) => socket.write(ok));
    const { promise: more, resolve } = Promise.withResolvers<void>();
    const slow = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => controller.enqueue(content("part")),
      pull: () => more,
    });
    const answered = pool.post(head, { content: slow, timeoutMs });
    while (sockets.size === 0) await Bun.sleep(1);
    for (const socket of sockets) socket.write("HTTP/1.1 413 No\r\ncontent-length: 0\r\n\r\n");
    expect((await answered).status).toBe(413);
    resolve();
    expect((await pool.post(head, { content: content("x"), timeoutMs })).status).toBe(200);
    expect(connections()).toBe(2);
  });
});

test("what takes longer than its time is 504, and its connection ends with it", async () => {
  const { pool } = await start(() => undefined);
  const late = pool.post(head, { content: content("x"), timeoutMs: 50 });
  await expect(late).rejects.toMatchObject({ status: 504, reason: "upstream_timeout" });
  while (pool.load().open > 0) await Bun.sleep(1);
});

test("a server that is away is 503 for each who asks, at once", async () => {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((closed) => server.close(closed));
  const pool = createPool({ hostname: "127.0.0.1", port, deadlines: createDeadlines() });
  const posts = Array.from({ length: 20 }, () => pool.post(head, { content: content("x"), timeoutMs }));
  const outcomes = await Promise.allSettled(posts);
  expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
  expect(pool.load()).toEqual({ open: 0, idle: 0 });
});

test("closing ends what is under way with 503", async () => {
  const { pool, requests } = await start(() => undefined);
  const pending = pool.post(head, { content: content("x"), timeoutMs });
  while (requests().length === 0) await Bun.sleep(1);
  pool.close();
  await expect(pending).rejects.toMatchObject({ status: 503 });
});
