import { afterEach, describe, expect, test } from "bun:test";
import { type LoadSpec, runLoad } from "./load.ts";

const servers: { stop(closeActiveConnections: boolean): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(true)));
});

function serve(fetch: (request: Request) => Response | Promise<Response>): LoadSpec {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  servers.push(server);
  return {
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    requests: [{ method: "GET", path: "/a" }],
    connections: 4,
    seconds: 20,
    maxRequests: 200,
  };
}

describe("runLoad", () => {
  test("sends exactly as many requests as it reports, and takes the list in turn", async () => {
    const seen = new Map<string, number>();
    const spec = serve((request) => {
      const { pathname } = new URL(request.url);
      seen.set(pathname, (seen.get(pathname) ?? 0) + 1);
      return new Response("ok");
    });
    const requests = ["/a", "/b", "/c", "/d"].map((path) => ({ method: "GET", path }));
    const result = await runLoad({ ...spec, requests });
    expect(result.requests).toBe(200);
    expect(result.failures).toEqual({});
    expect([...seen.values()].reduce((sum, count) => sum + count)).toBe(200);
    expect(seen.size).toBe(4);
    expect(result.p50Ms).toBeLessThanOrEqual(result.p99Ms);
    expect(result.p99Ms).toBeLessThanOrEqual(result.maxMs);
  });

  test("ends by time, with every request it began answered", async () => {
    let answered = 0;
    const spec = serve(() => {
      answered += 1;
      return new Response("ok");
    });
    const result = await runLoad({ ...spec, seconds: 0.1, maxRequests: Number.MAX_SAFE_INTEGER });
    expect(result.requests).toBe(answered);
    expect(result.requests).toBeGreaterThan(0);
  });

  test("never has more than one request under way on a connection", async () => {
    let inFlight = 0;
    let most = 0;
    const spec = serve(async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
      return new Response("ok");
    });
    await runLoad(spec);
    expect(most).toBeLessThanOrEqual(4);
  });

  test("sends method, headers and body, however large", async () => {
    const body = "é".repeat(300_000);
    const bodies: string[] = [];
    const spec = serve(async (request) => {
      bodies.push(`${request.method} ${request.headers.get("x-kind")} ${await request.text()}`);
      return new Response(null, { status: 204 });
    });
    const result = await runLoad({
      ...spec,
      maxRequests: 8,
      requests: [{ method: "POST", path: "/", headers: { "x-kind": "big" }, body }],
    });
    expect(result).toMatchObject({ requests: 8, failures: {} });
    expect(bodies).toEqual(Array.from({ length: 8 }, () => `POST big ${body}`));
  });

  test("a status outside 2xx is a failure, by its number", async () => {
    const result = await runLoad(serve(() => new Response("no", { status: 503 })));
    expect(result.failures).toEqual({ "status 503": 200 });
  });

  test("a connection closed in the middle of an answer is a failure, not a hang", async () => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: (socket) => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
          socket.end();
        },
      },
    });
    const result = await runLoad({
      hostname: "127.0.0.1",
      port: server.port,
      requests: [{ method: "GET", path: "/" }],
      connections: 2,
      seconds: 5,
      maxRequests: 10,
    });
    server.stop(true);
    expect(result.requests).toBe(0);
    expect(result.failures).toEqual({ "connection closed by the server": 2 });
  });
});
