import { beforeAll, describe, expect, test } from "bun:test";
import { createTestIssuer, type TestIssuer } from "../testing/tokens.ts";
import { alwaysReady, memoryLogger } from "../testing/log.ts";
import { createTokenVerifier } from "../tokens/verifier.ts";
import { createBaseApp } from "./app.ts";
import { requireScope, requireToken } from "./auth.ts";

let issuer: TestIssuer;

beforeAll(async () => {
  issuer = await createTestIssuer();
});

function open(verifier = issuer.verifier) {
  const { logger, lines } = memoryLogger();
  const app = createBaseApp({ service: "test", logger, readiness: alwaysReady });
  app.get("/me", requireToken(verifier), (c) => c.json({ sub: c.var.claims.sub }));
  app.get("/orders", requireScope(verifier, "orders:read", "orders:write"), (c) => c.json({ sub: c.var.claims.sub }));
  const get = (path: string, authorization?: string) =>
    app.request(path, authorization === undefined ? {} : { headers: { authorization } });
  return { get, lines };
}

async function told(answer: Response): Promise<unknown[]> {
  const { code } = (await answer.json()) as { readonly code: string };
  return [answer.status, code, answer.headers.get("www-authenticate")];
}

describe("a route behind a token (RFC 6750 §3.1)", () => {
  test("without one is 401 and a challenge without an error code", async () => {
    expect(await told(await open().get("/orders"))).toEqual([401, "unauthenticated", "Bearer"]);
  });

  test.each(["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer a, Bearer b", "Token x", "Bearer a=="])(
    "with %p is 401 invalid_token",
    async (authorization) => {
      const [status, code] = await told(await open().get("/me", authorization));
      expect([status, code]).toEqual([401, "invalid_token"]);
    },
  );

  test("never takes it from the query", async () => {
    const token = await issuer.sign("orders:read");
    expect((await open().get(`/orders?access_token=${token}`)).status).toBe(401);
  });

  test("of another scope is 403 and names the scopes, a valid one opens it", async () => {
    const { get } = open();
    expect(await told(await get("/orders", `Bearer ${await issuer.sign("inventory:read orders:readx")}`))).toEqual([
      403,
      "insufficient_scope",
      'Bearer error="insufficient_scope", scope="orders:read orders:write"',
    ]);
    for (const scope of ["orders:write", "inventory:read orders:read"]) {
      const answer = await get("/orders", `bearer ${await issuer.sign(scope)}`);
      expect([answer.status, await answer.json()]).toEqual([200, { sub: "anna" }]);
    }
    expect((await get("/me", `Bearer ${await issuer.sign("")}`)).status).toBe(200);
  });

  test("while keys cannot be had is 503 with Retry-After, never a pass and never a 401", async () => {
    const verifier = createTokenVerifier({
      jwksUrl: "http://auth.test/jwks",
      issuer: issuer.issuer,
      audience: issuer.audience,
      fetch: async () => new Response("", { status: 500 }),
    });
    const answer = await open(verifier).get("/me", `Bearer ${await issuer.sign("orders:read")}`);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
  });

  test("never shows the token in its lines", async () => {
    const { get, lines } = open();
    const token = await issuer.sign("orders:read");
    await get("/orders", `Bearer ${token}`);
    await get("/orders", `Bearer ${token}x`);
    for (const part of token.split(".")) expect(JSON.stringify(lines)).not.toContain(part);
  });
});
