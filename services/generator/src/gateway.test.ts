import { afterAll, describe, expect, test } from "bun:test";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { createBackoff } from "./backoff.ts";
import { createEvents } from "./events.ts";
import { createGateway } from "./gateway.ts";

const seen: Headers[] = [];
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request) => {
    seen.push(new Headers(request.headers));
    return new URL(request.url).pathname === "/json"
      ? Response.json({ ok: true })
      : new Response("<html>", { status: 404 });
  },
});
afterAll(() => server.stop(true));

function connect(url: string) {
  const { logger, lines } = memoryLogger();
  const events = createEvents(logger);
  const sent: (readonly [method: string, route: string, status: number])[] = [];
  const report = {
    sent: (to: { method: string; route: string }, status: number) => sent.push([to.method, to.route, status]),
  };
  return { lines, events, sent, gateway: createGateway({ url, backoff: createBackoff(() => 0), events, report }) };
}

describe("gateway client", () => {
  test("sends token, key and body, and gives back status and parsed body", async () => {
    const { gateway, sent } = connect(server.url.href);
    const answer = await gateway.send({
      action: "order",
      method: "POST",
      path: "/json?limit=1",
      body: {},
      token: "t1",
      idempotencyKey: "k1",
    });
    expect(answer).toEqual({ status: 200, body: { ok: true } });
    const headers = seen.at(-1);
    expect([headers?.get("authorization"), headers?.get("idempotency-key")]).toEqual(["Bearer t1", "k1"]);
    await gateway.send({ action: "view", path: "/json", route: "/json/:id" });
    expect(sent).toEqual([
      ["POST", "/json", 200],
      ["GET", "/json/:id", 200],
    ]);
  });

  test("says once in the log what nobody should get, and takes a body that is not JSON", async () => {
    const { gateway, lines } = connect(server.url.href);
    expect(await gateway.send({ action: "view", path: "/gone" })).toEqual({ status: 404, body: undefined });
    expect(lines).toMatchObject([{ action: "generator.failed", extra: { action: "view", status: 404 } }]);
  });

  test("a gateway that is away makes no error but a rest, and is counted as unreachable", async () => {
    const gone = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const url = gone.url.href;
    await gone.stop(true);
    const { gateway, events, lines, sent } = connect(url);
    expect(await gateway.send({ action: "browse", path: "/" })).toBeUndefined();
    expect(sent).toEqual([["GET", "/", 0]]);
    expect(gateway.isResting()).toBe(true);
    events.report();
    expect(lines.at(-1)).toMatchObject({ action: "generator.report", extra: { browse_unreachable: 1 } });
  });
});
