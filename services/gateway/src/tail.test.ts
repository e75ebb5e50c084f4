import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Server, ServerWebSocket } from "bun";
import { ServiceError } from "@vitrine/kit/errors";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { until } from "@vitrine/kit/testing/eventually";
import { type Gateway, startGateway } from "./testing/harness.ts";

const path = "/loki/api/v1/tail?query=%7Ba%3D%22b%22%7D";
let issuer: TestIssuer;
let loki: Server<{ readonly headers: Headers; readonly url: string }>;
let gateway: Gateway;
const tails: ServerWebSocket<{ readonly headers: Headers; readonly url: string }>[] = [];
const closed: number[] = [];
const revoked = new Set<string>();

beforeAll(async () => {
  issuer = await createTestIssuer();
  loki = Bun.serve<{ readonly headers: Headers; readonly url: string }>({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => {
      const data = { headers: request.headers, url: request.url };
      if (request.url.includes("bad")) return new Response("parse error: bad query", { status: 400 });
      if (server.upgrade(request, { data })) return undefined;
      return new Response("Bad Request: not a websocket handshake", { status: 400 });
    },
    websocket: {
      open: (socket) => {
        tails.push(socket);
        socket.send("first");
      },
      message: () => undefined,
      close: (_, code) => {
        closed.push(code);
      },
    },
  });
  gateway = await startGateway({
    upstreams: { loki: loki.url.origin },
    ownOrigin: "https://vitrine.test",
    verifier: {
      ready: () => Promise.resolve(),
      verify: async (token) => {
        const claims = await issuer.verifier.verify(token);
        if (revoked.has(claims.jti)) throw new ServiceError("invalid_token", undefined, { reason: "revoked" });
        return claims;
      },
    },
  });
});
afterAll(async () => {
  await gateway.stop();
  await loki.stop(true);
});
afterEach(async () => {
  await until(() => gateway.tails.size() === 0);
  expect(gateway.limits.load().inside).toBe(0);
  tails.length = 0;
  closed.length = 0;
  gateway.refusals.length = 0;
});

const bearer = async (scope = "telemetry:read", claims = {}) => `Bearer ${await issuer.sign(scope, claims)}`;

/** Bun lets a client send headers; the types of the web platform do not know it. */
function connectTo({ url }: Gateway, headers: Record<string, string>): WebSocket {
  return new WebSocket(`${url.replace("http", "ws")}${path}`, { headers } as unknown as string[]);
}

async function open(headers: Record<string, string>) {
  const messages: string[] = [];
  const { promise, resolve } = Promise.withResolvers<number>();
  const socket = connectTo(gateway, headers);
  socket.addEventListener("message", ({ data }) => messages.push(String(data)));
  socket.addEventListener("close", ({ code }) => resolve(code));
  return { socket, messages, closed: promise };
}

function handshake(headers: Record<string, string>): string {
  const lines = {
    Host: "x",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    ...headers,
  };
  return `GET ${path} HTTP/1.1\r\n${Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;
}

describe("a live tail", () => {
  test("carries what Loki says, in order, and shows Loki no credentials", async () => {
    const tail = await open({ authorization: await bearer(), cookie: "a=b" });
    await until(() => tail.messages.length === 1);
    for (let at = 0; at < 100; at += 1) tails[0]?.send(`line ${at}`);
    await until(() => tail.messages.length === 101);
    expect(tail.messages).toEqual(["first", ...Array.from({ length: 100 }, (_, at) => `line ${at}`)]);
    const { headers, url } = tails[0]?.data ?? { headers: new Headers(), url: "" };
    expect(new URL(url).search).toBe("?query=%7Ba%3D%22b%22%7D");
    for (const name of ["authorization", "cookie", "x-forwarded-for"]) expect(headers.get(name)).toBeNull();
    tail.socket.close(1000);
    await until(() => closed.length === 1);
  });

  test("ends for the client when it ends at Loki, normally or not", async () => {
    for (const [code, expected] of [
      [1000, 1000],
      [1011, 1011],
    ] as const) {
      const tail = await open({ authorization: await bearer() });
      await until(() => tail.messages.length === 1);
      tails.pop()?.close(code);
      expect(await tail.closed).toBe(expected);
    }
  });

  test("ends once its token is taken back", async () => {
    const tail = await open({ authorization: await bearer("telemetry:read", { jti: "tail-1" }) });
    await until(() => tail.messages.length === 1);
    revoked.add("tail-1");
    expect(await tail.closed).toBe(1008);
    await until(() => closed.length === 1);
  });

  test("of a client that reads nothing is cut off before it costs memory", async () => {
    const socket = connect(gateway.port, "127.0.0.1");
    socket.write(handshake({ Authorization: await bearer() }));
    socket.on("error", () => undefined);
    await until(() => tails.length === 1);
    socket.pause();
    const line = "x".repeat(65_536);
    let sent = 0;
    while (closed.length === 0 && sent < 1_000) {
      tails[0]?.send(line);
      sent += 1;
      await Bun.sleep(1);
    }
    expect(sent).toBeLessThan(1_000);
    socket.destroy();
  });

  const asked = {
    connection: "keep-alive, Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };

  test("is refused before anything is opened at Loki", async () => {
    const good = await bearer();
    const cookie = "__Host-vitrine_session=handle-of-a-session-0123456789";
    for (const [headers, status, reason] of [
      [{}, 401, "missing_token"],
      [{ Authorization: await bearer("logs:write") }, 403, "insufficient_scope"],
      [{ Authorization: good, upgrade: "h2c" }, 400, "no_upgrade"],
      [{ Authorization: good, "sec-websocket-version": "8" }, 400, "no_upgrade"],
      [{ Authorization: good, "sec-websocket-key": "short" }, 400, "no_upgrade"],
      [{ Authorization: good, "sec-websocket-key": "" }, 400, "no_upgrade"],
      [{ Authorization: good, connection: "close" }, 400, "no_upgrade"],
      [{ Cookie: cookie, Origin: "https://evil.test" }, 403, "cross_site"],
      [{ Cookie: cookie }, 403, "cross_site"],
    ] as [Record<string, string>, number, string][]) {
      const response = await fetch(`${gateway.url}${path}`, {
        headers: { ...asked, ...headers },
      });
      expect(response.status).toBe(status);
      expect(gateway.refusals.at(-1)?.reason).toBe(reason as "cross_site");
    }
    expect(tails).toEqual([]);
  });

  test("that Loki refuses is answered with what Loki said", async () => {
    const response = await fetch(`${gateway.url}${path}&bad=1`, {
      headers: { ...asked, authorization: await bearer() },
    });
    expect([response.status, await response.text()]).toEqual([400, "parse error: bad query"]);
  });

  test("ends with 1001 when the gateway stops", async () => {
    const own = await startGateway({ upstreams: { loki: loki.url.origin }, verifier: issuer.verifier });
    const socket = connectTo(own, { authorization: await bearer() });
    const { promise, resolve } = Promise.withResolvers<number>();
    socket.addEventListener("close", ({ code }) => resolve(code));
    await until(() => own.tails.size() === 1);
    own.tails.closeAll();
    expect(await promise).toBe(1001);
    await own.stop();
  });
});
