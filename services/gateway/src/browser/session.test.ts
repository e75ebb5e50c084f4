import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import type { Route } from "../routes/route.ts";
import { routes } from "../routes/table.ts";
import { type Gateway, startGateway } from "../testing/harness.ts";

const origin = "https://vitrine.test";
const handle = "handle-of-a-session-0123456789";
const cookie = `theme=dark; __Host-vitrine_session=${handle}`;
const base = routes.find(({ path }) => path === "/prometheus/api/v1/query") as Route;
const page: Route = { ...base, path: "/console/**", methods: ["GET"], body: "none", page: { login: "/login" } };

let gateway: Gateway;
let exchanges = 0;
let exchange: (request: Request) => Response | Promise<Response>;

beforeAll(async () => {
  gateway = await startGateway({ ownOrigin: origin, routes: [...routes, { ...page, forward: "keep" }] });
  gateway.answer = async (request, upstream) => {
    if (upstream === "auth" && request.url.endsWith("/api/auth/session/token")) {
      exchanges += 1;
      return await exchange(request);
    }
    return Response.json({ upstream, headers: Object.fromEntries(request.headers) });
  };
  exchange = async () => await tokenAnswer("telemetry:read orders:read orders:write");
});
afterAll(() => gateway.stop());
afterEach(() => {
  gateway.refusals.length = 0;
});

async function tokenAnswer(scope: string, sid = "session-1"): Promise<Response> {
  const access_token = await gateway.issuer.sign(scope, { sub: "anna", client_id: "browser", sid });
  return Response.json({ access_token, token_type: "Bearer", expires_in: 900, scope });
}

function open(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
  return fetch(`${gateway.url}${path}`, {
    method,
    headers: { cookie, ...headers },
    redirect: "manual",
    ...(method === "POST" ? { body: "{}" } : {}),
  });
}

describe("a session cookie", () => {
  test("is a token for our own pages; services see the token and never the cookie", async () => {
    const response = await open("/api/orders", { "sec-fetch-site": "same-origin" });
    const { headers } = (await response.json()) as { headers: Record<string, string> };
    expect(headers["authorization"]).toStartWith("Bearer ey");
    expect(headers["cookie"]).toBeUndefined();
    const query = (await (await open("/prometheus/api/v1/query")).json()) as { headers: Record<string, string> };
    expect([query.headers["authorization"], query.headers["cookie"]]).toEqual([undefined, undefined]);
  });

  test("is exchanged once for many requests at once and after", async () => {
    exchanges = 0;
    const mine = `__Host-vitrine_session=${handle}-other`;
    const many = await Promise.all(Array.from({ length: 20 }, () => open("/api/orders", { cookie: mine })));
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await open("/api/orders", { cookie: mine })).status).toBe(200);
    expect(exchanges).toBe(1);
  });

  test("goes to auth with what a proxy asks about, for it to judge", async () => {
    const asked = { "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site", "x-forwarded-method": "GET" };
    const response = await open("/api/auth/verify", asked);
    expect(((await response.json()) as { headers: Record<string, string> }).headers).toMatchObject(asked);
  });

  test.each(["/v1/logs", "/loki/api/v1/push"])("is nothing to %s", async (path) => {
    const response = await open(path, { origin, "content-type": "application/json" }, "POST");
    expect(response.status).toBe(401);
    expect(gateway.refusals).toMatchObject([{ reason: "missing_token" }]);
  });

  test("goes to auth alone, without the other cookies, and with what the browser says of its origin", async () => {
    const response = await open("/api/auth/logout", { origin, "sec-fetch-site": "same-origin" }, "POST");
    const { headers } = (await response.json()) as { headers: Record<string, string> };
    expect(headers).toMatchObject({
      cookie: `__Host-vitrine_session=${handle}`,
      origin,
      "sec-fetch-site": "same-origin",
      "x-client-address": "127.0.0.1",
    });
  });

  test.each([
    ["GET", { origin: "https://evil.test" }, 403],
    ["GET", { "sec-fetch-site": "cross-site" }, 403],
    ["GET", { "sec-fetch-site": "same-site" }, 403],
    ["GET", { "sec-fetch-site": "none" }, 200],
    ["GET", {}, 200],
    ["POST", {}, 403],
    ["POST", { origin: "null" }, 403],
    ["POST", { origin: "https://evil.test", "sec-fetch-site": "same-origin" }, 403],
    ["POST", { origin, "sec-fetch-site": "cross-site" }, 403],
    ["POST", { origin }, 200],
    ["POST", { origin, "sec-fetch-site": "same-origin" }, 200],
  ] as [string, Record<string, string>, number][])("with %s and %p is %d", async (method, headers, status) => {
    expect((await open("/api/orders", headers, method)).status).toBe(status);
    expect(gateway.refusals.map(({ reason }) => reason)).toEqual(status === 403 ? ["cross_site"] : []);
  });

  test.each([
    "__Host-vitrine_session=a; __Host-vitrine_session=b",
    `__Host-vitrine_session=${handle}; __Host-vitrine_session=${handle}`,
    "__Host-vitrine_session=",
    "__Host-vitrine_session=short",
    `__host-vitrine_session=${handle}`,
    `vitrine_session=${handle}`,
    `__Host-vitrine_session="${handle}"`,
  ])("%s is none", async (odd) => {
    expect((await open("/api/orders", { cookie: odd })).status).toBe(401);
  });

  test("does not come before a token that is there", async () => {
    expect((await open("/api/orders", { authorization: "Bearer x" })).status).toBe(401);
  });

  test("whose session is over is 401, asked of auth once in a while; one that cannot be judged is 503", async () => {
    const before = exchange;
    exchanges = 0;
    exchange = () => new Response("{}", { status: 401 });
    const over = { cookie: `__Host-vitrine_session=${handle}-over` };
    for (let at = 0; at < 5; at += 1) expect((await open("/api/orders", over)).status).toBe(401);
    expect([exchanges, gateway.refusals.at(-1)?.reason]).toEqual([1, "session_over"]);
    exchange = () => new Response("x", { status: 500 });
    const unknown = await open("/api/orders", { cookie: `__Host-vitrine_session=${handle}-unknown` });
    expect([unknown.status, unknown.headers.get("retry-after")]).toEqual([503, "2"]);
    exchange = before;
    expect((await open("/api/orders", { cookie: `__Host-vitrine_session=${handle}-unknown` })).status).toBe(200);
  });
});

test("a session goes on when its token is taken back, as by a new role, and ends when auth says so", async () => {
  const taken = new Set<string>();
  const issuer = await createTestIssuer();
  const verifier = createTokenVerifier({
    ...issuer,
    jwksUrl: "http://auth.test/.well-known/jwks.json",
    fetch: issuer.jwksFetch,
    isRevoked: ({ jti }) => taken.has(jti),
  });
  const own = await startGateway({ ownOrigin: origin, verifier });
  const given: string[] = [];
  let over = false;
  own.answer = async (_, upstream) => {
    if (upstream !== "auth") return Response.json({});
    if (over) return new Response("{}", { status: 401 });
    const jti = crypto.randomUUID();
    given.push(jti);
    const scope = "orders:read";
    return Response.json({
      access_token: await issuer.sign(scope, { jti, sid: "session-1" }),
      token_type: "Bearer",
      expires_in: 900,
      scope,
    });
  };
  const ask = async () => (await fetch(`${own.url}/api/orders`, { headers: { cookie } })).status;
  const askMany = async () => new Set(await Promise.all(Array.from({ length: 20 }, ask)));
  expect(await askMany()).toEqual(new Set([200]));
  taken.add(given[0] ?? "");
  expect([await askMany(), given.length]).toEqual([new Set([200]), 2]);
  over = true;
  taken.add(given[1] ?? "");
  expect(await askMany()).toEqual(new Set([401]));
  await own.stop();
});

describe("a page", () => {
  test("without a session sends the browser to the login page, and back to a path of ours", async () => {
    const response = await open("/console/orders?x=1", { cookie: "" });
    expect([response.status, response.headers.get("location"), response.headers.get("cache-control")]).toEqual([
      303,
      "/login?return=%2Fconsole%2Forders%3Fx%3D1",
      "no-store",
    ]);
    expect(gateway.refusals).toMatchObject([{ reason: "missing_token" }]);
    expect((await open("/console/a%2f%2fevil.test", { cookie: "" })).status).toBe(400);
  });

  test("opens from a link of another site, with a policy of its own; an API does not redirect", async () => {
    const response = await open("/console/orders", { "sec-fetch-site": "cross-site" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-security-policy")).toStartWith("default-src 'self'");
    expect((await open("/api/orders", { cookie: "" })).status).toBe(401);
  });
});
