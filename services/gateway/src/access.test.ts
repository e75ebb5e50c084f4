import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import { allowedMethods, type Method, methods, type Route } from "./routes/route.ts";
import { routes } from "./routes/table.ts";
import { type Gateway, rawStatus, readStatus, sendRaw, startGateway } from "./testing/harness.ts";

let gateway: Gateway;
let forged: string;

beforeAll(async () => {
  gateway = await startGateway();
  forged = await (await createTestIssuer()).sign("telemetry:write telemetry:read orders:read orders:write");
});
afterAll(() => gateway.stop());
afterEach(() => {
  gateway.seen.length = 0;
  gateway.refusals.length = 0;
});

const gated = routes.flatMap((route) => (route.access === "public" ? [] : [{ route, access: route.access }]));
const types = (route: Route) =>
  route.errors === "otlp" ? ["application/x-protobuf", "application/json"] : ["application/json"];
const each = gated.flatMap((row) =>
  row.route.methods.flatMap((method) =>
    types(row.route).map((type) =>
      Object.assign({ method, type, name: `${method} ${row.route.path} as ${type}` }, row),
    ),
  ),
);

function address(path: string): string {
  return `${gateway.url}${path.replace("/**", "/x").replaceAll("*", "x")}`;
}

function send(path: string, method: string, type: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(address(path), {
    method,
    redirect: "manual",
    headers: { "content-type": type, ...headers },
    ...(method === "POST" || method === "PUT" ? { body: '{"streams":[{"stream":{},"values":[]}]}' } : {}),
  });
}

async function expectRefusal(response: Response, route: Route, type: string, status: number, code: number) {
  expect(response.status).toBe(status);
  expect(response.headers.get("x-request-id")).toBeTruthy();
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("cache-control")).toBe("no-store");
  if (route.errors === "otlp") {
    expect(response.headers.get("content-type")).toBe(type);
    expect((await readStatus(response)).code).toBe(code);
  } else if (route.errors === "loki") {
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toMatch(/^[\x20-\x7e]+\n$/);
  } else {
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const requestId = response.headers.get("x-request-id");
    expect(await response.json()).toMatchObject({ status, requestId, instance: `/requests/${requestId}` });
  }
  expect(gateway.seen).toEqual([]);
}

const api = each.filter(({ route }) => route.page === undefined);
const pages = each.filter(({ route }) => route.page !== undefined);

describe("on every page", () => {
  test.each(pages)("$name: who has no good token is sent to sign in", async ({ route, method, type }) => {
    for (const headers of [{}, { authorization: `Bearer ${forged}` }] as Record<string, string>[]) {
      const response = await send(route.path, method, type, headers);
      expect(response.status).toBe(303);
      expect(response.headers.get("location")).toStartWith("/login");
    }
    expect(gateway.seen).toEqual([]);
    expect(gateway.refusals).toMatchObject([{ reason: "missing_token" }, { reason: "bad_signature" }]);
  });
});

describe("on every gated row", () => {
  test.each(api)("$name: no token is 401", async ({ route, method, type }) => {
    const response = await send(route.path, method, type);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    await expectRefusal(response, route, type, 401, 16);
    expect(gateway.refusals).toMatchObject([{ reason: "missing_token", route: route.path, clientId: undefined }]);
  });

  test.each(api)("$name: a forged token is 401", async ({ route, method, type }) => {
    const response = await send(route.path, method, type, { authorization: `Bearer ${forged}` });
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    await expectRefusal(response, route, type, 401, 16);
    expect(gateway.refusals).toMatchObject([{ reason: "bad_signature", clientId: undefined }]);
  });

  test.each(api)("$name: an expired token is 401", async ({ route, access, method, type }) => {
    const now = Math.floor(Date.now() / 1_000);
    const headers = await gateway.bearer(access.join(" "), { iat: now - 900, exp: now - 60 });
    await expectRefusal(await send(route.path, method, type, headers), route, type, 401, 16);
    expect(gateway.refusals).toMatchObject([{ reason: "expired" }]);
  });

  // Where any scope will do, the service itself asks for what it needs.
  const narrow = each.filter(({ access }) => !access.includes("users:admin"));

  test.each(narrow)("$name: the wrong scope is 403", async ({ route, access, method, type }) => {
    const response = await send(route.path, method, type, await gateway.bearer("users:admin"));
    expect(response.headers.get("www-authenticate")).toBe(
      `Bearer error="insufficient_scope", scope="${access.join(" ")}"`,
    );
    await expectRefusal(response, route, type, 403, 7);
    expect(gateway.refusals).toMatchObject([{ reason: "insufficient_scope", clientId: "test-client" }]);
  });

  test.each(gated)("$route.path: one of its scopes is enough", async ({ route, access }) => {
    for (const scope of access) {
      const type = route.body === "none" ? undefined : route.body.mediaTypes?.[0];
      const response = await send(
        route.path,
        route.methods[0] ?? "GET",
        type ?? "application/json",
        await gateway.bearer(scope),
      );
      // A tail is no tail without its Upgrade; it was let in all the same.
      const expected = route.upgrade === undefined ? 200 : 400;
      expect(response.status).toBe(route.errors === "loki" ? 204 : expected);
    }
    expect(gateway.seen).toHaveLength(route.upstream === "self" || route.upgrade !== undefined ? 0 : access.length);
  });
});

const shut = [...Map.groupBy(routes, ({ path }) => path)].flatMap(([path, rows]) => {
  const open = new Set<Method>(rows.flatMap((row) => allowedMethods(row)));
  const [route] = rows;
  return route === undefined ? [] : [{ path, route, open, closed: methods.filter((method) => !open.has(method)) }];
});

describe("a method the table does not have", () => {
  test.each(shut)("$path: is 405 with Allow, before any token is asked for", async ({ path, route, open, closed }) => {
    for (const method of [...closed.filter((method) => method !== "HEAD"), "OPTIONS"]) {
      const response = await send(path, method, "application/json");
      expect(response.headers.get("allow")?.split(", ").toSorted()).toEqual([...open].toSorted());
      await expectRefusal(response, route, "application/json", 405, 12);
    }
  });
});

describe("what is not in the table", () => {
  test("is 404 with or without a token, and nameless in the metrics", async () => {
    for (const headers of [{}, await gateway.bearer("telemetry:read orders:read")]) {
      const response = await fetch(`${gateway.url}/wp-login.php`, { headers });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "not_found" });
    }
    expect(gateway.refusals).toMatchObject([
      { reason: "unknown_route", route: undefined },
      { reason: "unknown_route", route: undefined },
    ]);
  });

  test("is a Status on the OTLP port, where APIs and engines are not served at all", async () => {
    const headers = await gateway.bearer("telemetry:read orders:read telemetry:write");
    for (const path of ["/v1/trace", "/api/orders", "/prometheus/api/v1/query", "/metrics", "/oauth/token"]) {
      const response = await fetch(`${gateway.otlpUrl}${path}`, { headers });
      expect(response.status).toBe(404);
      expect((await readStatus(response)).code).toBe(5);
    }
    expect((await fetch(`${gateway.otlpUrl}/health/live`)).status).toBe(200);
  });
});

describe("a token", () => {
  test.each([
    ["in the query", (token: string) => [`?access_token=${token}`, {}] as const],
    ["in a cookie", (token: string) => ["", { cookie: `access_token=${token}; token=${token}` }] as const],
    ["of another scheme", (token: string) => ["", { authorization: `Token ${token}` }] as const],
    ["with padding", (token: string) => ["", { authorization: `Bearer ${token}==` }] as const],
  ])("%s is not one", async (_, place) => {
    const [query, headers] = place(await gateway.issuer.sign("orders:read"));
    const response = await fetch(`${gateway.url}/api/orders${query}`, { headers });
    expect(response.status).toBe(401);
    expect(gateway.seen).toEqual([]);
  });

  test("is never repeated in an answer or a log line", async () => {
    const token = await gateway.issuer.sign("users:admin");
    const response = await fetch(`${gateway.url}/api/orders`, { headers: { authorization: `Bearer ${token}` } });
    const [, , signature] = token.split(".");
    expect(await response.text()).not.toContain(signature);
    expect(JSON.stringify(gateway.lines)).not.toContain(signature);
  });

  test("is named in the access log by its id and client", async () => {
    await fetch(`${gateway.url}/api/orders`, { headers: await gateway.bearer("orders:read", { jti: "token-7" }) });
    expect(gateway.lines).toContainEqual(
      expect.objectContaining({
        action: "http.request",
        extra: expect.objectContaining({
          client_id: "test-client",
          token_id: "token-7",
          route: "/api/orders/**",
          status: 200,
        }),
      }),
    );
  });
});

describe("Basic credentials", () => {
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  const tokenOf = async (scope: string) => (await gateway.bearer(scope))["authorization"]?.slice(7) ?? "";

  test("carry a token as their password to Loki's rows, whatever the name", async () => {
    const token = await tokenOf("telemetry:read logs:write");
    for (const name of ["", "anybody", "vitrine"]) {
      const read = await fetch(`${gateway.url}/loki/api/v1/labels`, { headers: basic(`${name}:${token}`) });
      expect(read.status).toBe(200);
      const push = await fetch(`${gateway.url}/loki/api/v1/push`, {
        method: "POST",
        body: '{"streams":[{"stream":{},"values":[]}]}',
        headers: { ...basic(`${name}:${token}`), "content-type": "application/json" },
      });
      expect(push.status).toBe(204);
    }
    expect(gateway.seen.every(({ headers }) => !headers.has("authorization"))).toBe(true);
  });

  test.each(["/v1/logs", "/prometheus/api/v1/query", "/api/orders", "/metrics"])("are nothing to %s", async (path) => {
    const token = await tokenOf("telemetry:read telemetry:write orders:read");
    const method = path === "/v1/logs" ? "POST" : "GET";
    const response = await fetch(`${gateway.url}${path}`, { method, headers: basic(`x:${token}`) });
    expect(response.status).toBe(401);
  });

  test.each(["x", "x:", ":", "x:y:z", "x:a b", "x:\u0000", ""])(
    "%j are refused, without a challenge for a browser",
    async (text) => {
      const response = await fetch(`${gateway.url}/loki/api/v1/labels`, { headers: basic(text) });
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([
        401,
        expect.stringMatching(/^Bearer/),
      ]);
    },
  );

  test("two of them, or one beside a token, are no credentials", async () => {
    const token = await tokenOf("telemetry:read");
    const one = basic(`x:${token}`).authorization;
    for (const other of [one, `Bearer ${token}`]) {
      const answer = await sendRaw(
        gateway.port,
        `GET /loki/api/v1/labels HTTP/1.1\r\nHost: x\r\nAuthorization: ${one}\r\nAuthorization: ${other}\r\nConnection: close\r\n\r\n`,
      );
      expect(rawStatus(answer)).toBe(401);
    }
  });
});
