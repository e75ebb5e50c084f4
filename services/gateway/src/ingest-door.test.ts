import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { until } from "@vitrine/kit/testing/eventually";
import { startTestTelemetry } from "@vitrine/kit/testing/telemetry";
import { type Gateway, startGateway } from "./testing/harness.ts";

const json = "application/json";
let gateway: Gateway;

beforeEach(async () => {
  gateway = await startGateway({ quotas: { ingest: { inFlight: 1 } } });
});
afterEach(() => gateway.stop());

async function post(path: string, body: string, headers: Record<string, string> = {}, claims = {}): Promise<number> {
  const bearer = await gateway.bearer("telemetry:write", { client_id: "a", ...claims });
  const answer = await fetch(`${gateway.url}${path}`, {
    method: "POST",
    body,
    headers: { ...bearer, "content-type": json, ...headers },
  });
  return answer.status;
}

/** A post on a connection of its own, of which as much is written as is told. */
async function open(declared: number, body: string): Promise<Socket> {
  const { authorization = "" } = await gateway.bearer("telemetry:write", { client_id: "a" });
  const head = `POST /v1/logs HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: ${json}\r\n`;
  const opened = Promise.withResolvers<void>();
  const socket = connect(gateway.port, "127.0.0.1", () => opened.resolve());
  socket.on("error", () => undefined);
  await opened.promise;
  socket.write(`${head}Content-Length: ${declared}\r\n\r\n${body}`);
  return socket;
}

const load = () => gateway.limits.load();
const nothing = { inside: 0, upstream: 0, waiting: 0 };

/** Makes the collector hold what it is sent until it is let go. */
function holdCollector() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let held = 0;
  gateway.answer = async () => {
    held += 1;
    await promise;
    return new Response("{}", { headers: { "content-type": json } });
  };
  return { go: resolve, held: () => held };
}

describe("a post gives back what it held", () => {
  const push = '{"streams":[{"stream":{"app":"a"},"values":[["1700000000000000000","line"]]}]}';
  const unreadable = () => new Response("<p>", { headers: { "content-type": "text/html" } });

  test.each<[string, number, () => Promise<number>]>([
    ["it is taken", 200, () => post("/v1/logs", "{}")],
    ["it is taken as Loki's", 204, () => post("/loki/api/v1/push", push)],
    ["its client has no usable name", 401, () => post("/v1/logs", "{}", {}, { client_id: "a b" })],
    [
      "its key may not name the service",
      403,
      () => post("/v1/logs", "{}", { "x-service-name": "other" }, { service_prefix: "own." }),
    ],
    ["its type is not taken", 415, () => post("/v1/logs", "{}", { "content-type": "text/plain" })],
    ["its body is broken", 400, () => post("/v1/logs", "{}", { "content-encoding": "zstd" })],
    ["its push is no JSON", 400, () => post("/loki/api/v1/push", "{")],
    ["the collector redirects it", 502, () => post("/v1/traces", "redirect")],
    ["the collector's answer cannot be read", 502, () => post("/v1/metrics", "html")],
  ])("when %s", async (_, status, send) => {
    gateway.answer = async (request) => {
      const body = await request.text();
      if (body === "redirect") return Response.redirect("http://127.0.0.1/", 307);
      return body === "html" ? unreadable() : new Response("{}", { headers: { "content-type": json } });
    };
    for (let round = 0; round < 3; round += 1) expect(await send()).toBe(status);
    expect(load()).toEqual(nothing);
  });

  test("when its client leaves before all of the body was sent", async () => {
    const socket = await open(100, "{");
    await until(() => load().inside === 1);
    socket.destroy();
    await until(() => load().inside === 0);
    expect(load()).toEqual(nothing);
    expect(gateway.refusals).toEqual([]);
  });

  test("when its client leaves while it waits for its turn", async () => {
    const collector = holdCollector();
    const first = post("/v1/logs", "{}");
    await until(() => collector.held() === 1);
    const socket = await open(100, "{");
    await until(() => load().waiting === 1);
    socket.destroy();
    collector.go();
    expect(await first).toBe(200);
    await until(() => load().inside === 0);
    expect(load()).toEqual(nothing);
    expect(collector.held()).toBe(1);
  });

  test("when its client leaves before the collector has answered", async () => {
    const collector = holdCollector();
    const socket = await open(2, "{}");
    await until(() => collector.held() === 1);
    socket.destroy();
    collector.go();
    await until(() => load().inside === 0);
    expect(load()).toEqual(nothing);
    expect(await post("/v1/logs", "{}")).toBe(200);
  });
});

test("a post is measured once, by what became of it; its line says whose it was, and a gauge whether the collector is up", async () => {
  await gateway.stop();
  const telemetry = startTestTelemetry();
  try {
    gateway = await startGateway();
    const up = async () => (await telemetry.points("gateway.upstream.up")).map(({ value }) => value);
    const statuses = [await post("/v1/logs", "{}"), await post("/v1/logs", "{}")];
    gateway.answer = () => new Response("", { status: 503 });
    statuses.push(await post("/v1/logs", "{}"));
    expect(await up()).toEqual([0]);
    gateway.answer = undefined;
    const refused = { "content-type": "text/plain", "x-request-id": "refused-1" };
    statuses.push(await post("/v1/logs", "", refused, { sub: "anna" }), await post("/v1/traces", "{}"));
    const lines = gateway.lines.filter(({ action }) => action === "gateway.refused");
    expect(lines).toMatchObject([{ request_id: "refused-1", user: "anna" }]);
    expect(await up()).toEqual([1]);
    expect(statuses).toEqual([200, 200, 503, 415, 200]);
    const counts = async (metric: string, name: string) =>
      (await telemetry.points(metric)).map(({ attributes, value }) => [
        attributes["http.route"],
        attributes[name],
        value,
      ]);
    expect(await counts("http.server.request.duration", "http.response.status_code")).toEqual([
      ["/v1/logs", 200, 2],
      ["/v1/logs", 503, 1],
      ["/v1/logs", 415, 1],
      ["/v1/traces", 200, 1],
    ]);
    expect(await counts("gateway.request.duration", "outcome")).toEqual([
      ["/v1/logs", "ok", 2],
      ["/v1/logs", "failed", 1],
      ["/v1/logs", "refused", 1],
      ["/v1/traces", "ok", 1],
    ]);
    expect((await telemetry.points("http.server.active_requests")).map(({ value }) => value)).toEqual([0]);
  } finally {
    await telemetry.stop();
  }
});
