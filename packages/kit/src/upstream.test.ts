import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { ServiceError } from "./errors.ts";
import { bestOfThree } from "./testing/eventually.ts";
import { freePort } from "./testing/postgres.ts";
import { memoryLogger } from "./testing/log.ts";
import { startTestTelemetry, type TestTelemetry } from "./testing/telemetry.ts";
import { createUpstream, type UpstreamOptions } from "./upstream.ts";

let telemetry: TestTelemetry;
let server: Bun.Server<undefined>;
let answer: (request: Request) => Response | Promise<Response>;
let seen: Request[] = [];
let names = 0;

beforeAll(() => {
  telemetry = startTestTelemetry();
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      seen.push(request);
      return answer(request);
    },
  });
});
beforeEach(() => {
  answer = () => new Response("good");
});
afterEach(() => {
  seen = [];
});
afterAll(async () => {
  await server.stop(true);
  await telemetry.stop();
});

function newUpstream(options: Partial<UpstreamOptions> = {}) {
  const { logger, lines } = memoryLogger();
  const name = `upstream-${(names += 1)}`;
  const upstream = createUpstream({ name, url: server.url.href, logger, timeoutMs: 5_000, openMs: 5_000, ...options });
  const count = async (metric: string) =>
    (await telemetry.points(metric))
      .filter(({ attributes }) => attributes["upstream"] === name)
      .map(({ attributes, value }) => [attributes["reason"] ?? attributes["state"], value]);
  return { ...upstream, count, actions: () => lines.map(({ action }) => action) };
}

/** One that has failed often enough for its circuit to be open. */
async function openUpstream(options: Partial<UpstreamOptions> = {}) {
  answer = () => new Response("bad", { status: 500 });
  const upstream = newUpstream({ attempts: 1, ...options });
  for (let call = 0; call < 5; call += 1) await upstream.fetch("/");
  expect(upstream.state()).toBe("open");
  seen = [];
  return upstream;
}

const failingTimes = (times: number, status: number) => () =>
  seen.length <= times ? new Response("bad", { status }) : new Response("good");

const caught = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as ServiceError,
  );

describe("repeating a call", () => {
  test.each([
    ["GET", {}],
    ["PUT", {}],
    ["DELETE", {}],
    ["POST", { "Idempotency-Key": "key-1" }],
  ])("%s %p: two failures are not seen by the caller, and counted", async (method, headers) => {
    answer = failingTimes(2, 503);
    const upstream = newUpstream();
    const response = await upstream.fetch("/thing", { method, headers });
    expect([response.status, await response.text(), seen.length]).toEqual([200, "good", 3]);
    expect(await upstream.count("upstream.retries")).toEqual([["status", 2]]);
  });

  test("a POST without a key is sent once, whatever comes back", async () => {
    answer = () => new Response("bad", { status: 503 });
    expect((await newUpstream().fetch("/", { method: "POST", body: "{}" })).status).toBe(503);
    expect(seen).toHaveLength(1);
    const down = newUpstream({ url: `http://127.0.0.1:${await freePort()}` });
    expect((await caught(down.fetch("/", { method: "POST" })))?.code).toBe("unavailable");
    expect(await down.count("upstream.retries")).toEqual([]);
  });

  test("a refusal is an answer: it is not asked for again", async () => {
    answer = () => new Response("no", { status: 409 });
    expect((await newUpstream().fetch("/")).status).toBe(409);
    expect(seen).toHaveLength(1);
  });

  test("ends after the attempts that are allowed, with the last answer", async () => {
    answer = () => new Response(String(seen.length), { status: 500 });
    const response = await newUpstream({ attempts: 4 }).fetch("/");
    expect([response.status, await response.text()]).toEqual([500, "4"]);
  });

  test("never outlasts the budget of the call, and tells a timeout as such", async () => {
    answer = () => new Promise(() => undefined);
    const took = await bestOfThree(1_000, async () => {
      seen = [];
      const startedAt = performance.now();
      const error = await caught(newUpstream({ timeoutMs: 100, budgetMs: 150, attempts: 50 }).fetch("/"));
      expect(error?.code).toBe("upstream_timeout");
      expect(seen.length).toBeLessThanOrEqual(3);
      return performance.now() - startedAt;
    });
    expect(took).toBeLessThan(1_000);
  });

  test("waits as long as the other side asks for, and not at all when that is past the budget", async () => {
    answer = () => new Response("later", { status: 429, headers: { "retry-after": "60" } });
    expect((await newUpstream().fetch("/")).status).toBe(429);
    expect(seen).toHaveLength(1);
  });

  test("a call its caller gave up is not sent again", async () => {
    const giveUp = new AbortController();
    answer = () => {
      giveUp.abort(new Error("given up"));
      return new Promise(() => undefined);
    };
    const error = await caught(newUpstream().fetch("/", { signal: giveUp.signal }));
    expect([error?.message, seen.length]).toEqual(["given up", 1]);
  });

  test("a refused token is renewed once, for calls that cannot be repeated too", async () => {
    const forgotten: string[] = [];
    const tokens = { get: async () => `t${forgotten.length}`, forget: () => void forgotten.push("") };
    answer = ({ headers }) => new Response("", { status: headers.get("authorization") === "Bearer t1" ? 200 : 401 });
    expect((await newUpstream({ tokens }).fetch("/", { method: "POST" })).status).toBe(200);
    answer = () => new Response("", { status: 401 });
    seen = [];
    expect((await newUpstream({ tokens }).fetch("/")).status).toBe(401);
    expect(seen).toHaveLength(2);
  });
});

describe("the circuit", () => {
  test("opens when most calls fail; then nothing is sent and callers get 503 with Retry-After", async () => {
    const upstream = await openUpstream({ openMs: 60_000 });
    const error = await caught(upstream.fetch("/"));
    expect([error?.status, error?.reason, error?.headers["retry-after"]]).toEqual([503, "circuit_open", "60"]);
    expect(seen).toHaveLength(0);
    expect(upstream.actions()).toEqual(["upstream.circuit_opened"]);
    expect(await upstream.count("upstream.circuit.rejections")).toEqual([[undefined, 1]]);
    expect((await upstream.count("upstream.circuit.state")).filter(([, value]) => value === 1)).toEqual([["open", 1]]);
  });

  test("stays closed while half of the calls succeed, and over refusals", async () => {
    const upstream = newUpstream({ attempts: 1 });
    answer = () => new Response("", { status: seen.length % 2 === 1 ? 200 : 500 });
    for (let call = 0; call < 40; call += 1) await upstream.fetch("/").catch(() => undefined);
    answer = () => new Response("", { status: 404 });
    for (let call = 0; call < 40; call += 1) await upstream.fetch("/");
    expect([upstream.state(), seen.length]).toEqual(["closed", 80]);
  });

  test("after its time lets one call through; a good answer closes it, others are held back meanwhile", async () => {
    const upstream = await openUpstream({ openMs: 50 });
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<Response>();
    answer = () => (arrived.resolve(), release.promise);
    let trial = caught(upstream.fetch("/"));
    while ((await Promise.race([trial, arrived.promise])) !== undefined) trial = caught(upstream.fetch("/"));
    expect(upstream.state()).toBe("half_open");
    const others = await Promise.all(Array.from({ length: 10 }, () => caught(upstream.fetch("/"))));
    expect(others.map((error) => error?.reason)).toEqual(Array<string>(10).fill("circuit_open"));
    release.resolve(new Response("good"));
    expect(await trial).toBeUndefined();
    expect([upstream.state(), seen.length]).toEqual(["closed", 1]);
    expect(upstream.actions()).toEqual(["upstream.circuit_opened", "upstream.circuit_closed"]);
  });

  test("opens again when the trial fails or is given up", async () => {
    const upstream = await openUpstream({ openMs: 50 });
    const trials = async (signal?: AbortSignal) => {
      const before = seen.length;
      while (seen.length === before) await caught(upstream.fetch("/", signal === undefined ? {} : { signal }));
    };
    await trials();
    expect(upstream.state()).toBe("open");
    const giveUp = new AbortController();
    answer = () => {
      giveUp.abort();
      return new Promise(() => undefined);
    };
    await trials(giveUp.signal);
    expect(upstream.state()).toBe("open");
  });

  test("of one service says nothing of another", async () => {
    await openUpstream();
    answer = () => new Response("good");
    const other = newUpstream();
    expect((await other.fetch("/")).status).toBe(200);
    expect((await other.count("upstream.circuit.state")).filter(([, value]) => value === 1)).toEqual([["closed", 1]]);
  });
});
