import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { accessTokenType, grantTypes, tokenError, userNameTokenType } from "@vitrine/contracts/auth";
import { problem } from "@vitrine/contracts/problem";
import { scopesOfRole } from "@vitrine/contracts/scopes";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { decodeProtectedHeader } from "jose";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

let auth: TestAuth;
const password = "an orchid in the window";
const orders = basic("orders", testSecrets.orders);
const cli = basic("cli", testSecrets.cli);
const clientCredentials = { grant_type: grantTypes.clientCredentials };
const exchange = {
  grant_type: grantTypes.tokenExchange,
  subject_token: "anna",
  subject_token_type: userNameTokenType,
};

beforeAll(async () => {
  auth = await startAuth();
  await auth.json("/api/auth/register", { name: "Anna", password });
});

afterAll(() => auth[Symbol.asyncDispose]());

async function expectError(response: Response, status: number, error: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("pragma")).toBe("no-cache");
  expect(response.headers.get("content-type")).toStartWith("application/json");
  const body = tokenError.parse(await response.json());
  expect(body.error).toBe(error as "invalid_request");
  // RFC 6749 §5.2 allows no quotes, no backslash and nothing beyond ASCII in a description.
  expect(body.error_description ?? "").toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
}

describe("client credentials", () => {
  test("by Basic header: a token of all the client's scopes, stamped with its service", async () => {
    const response = await auth.token(clientCredentials, orders);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    // RFC 6749 §5.1.
    expect(response.headers.get("pragma")).toBe("no-cache");
    const token = await readToken(response);
    expect(token).toMatchObject({ token_type: "Bearer", expires_in: 900 });
    expect(token.issued_token_type).toBeUndefined();
    const claims = await auth.verifier.verify(token.access_token);
    expect(claims).toEqual({
      iss: auth.config.tokens.issuer,
      aud: auth.config.tokens.audience,
      sub: "orders",
      client_id: "orders",
      service: "orders",
      scope: "telemetry:write inventory:read inventory:write",
      iat: expect.any(Number),
      exp: claims.iat + 900,
      jti: expect.any(String),
    });
    const [key] = await auth.keys.publicKeys();
    expect(decodeProtectedHeader(token.access_token)).toEqual({ alg: "EdDSA", typ: "at+jwt", kid: key?.kid ?? "" });
  });

  test("by form parameters: the same", async () => {
    const form = { ...clientCredentials, client_id: "orders", client_secret: testSecrets.orders };
    expect((await readToken(await auth.token(form))).scope).toBe("telemetry:write inventory:read inventory:write");
  });

  test("through the kit's token source", async () => {
    const source = createTokenSource({
      tokenUrl: "http://auth.test/oauth/token",
      clientId: "orders",
      clientSecret: testSecrets.orders,
      scopes: ["telemetry:write"],
      fetch: async (url, init) => auth.app.request(url, init),
    });
    expect(await auth.verifier.verify(await source.get())).toMatchObject({ scope: "telemetry:write" });
  });

  test("no two tokens share an id", async () => {
    const issued = await Promise.all([1, 2].map(async () => readToken(await auth.token(clientCredentials, orders))));
    const [one, two] = await Promise.all(issued.map(({ access_token }) => auth.verifier.verify(access_token)));
    expect(one?.jti).not.toBe(two?.jti ?? "");
  });

  test("scopes can be narrowed", async () => {
    const token = await readToken(await auth.token({ ...clientCredentials, scope: "inventory:read" }, orders));
    expect(token.scope).toBe("inventory:read");
    expect((await auth.verifier.verify(token.access_token)).scope).toBe("inventory:read");
  });

  test.each(["telemetry:read", "inventory:read users:admin", "made:up"])(
    "a scope the client does not have is invalid_scope, not left out: %p",
    async (scope) => expectError(await auth.token({ ...clientCredentials, scope }, orders), 400, "invalid_scope"),
  );

  test("an empty parameter counts as absent and unknown ones are ignored (RFC 6749 §3.2)", async () => {
    const form = { ...clientCredentials, scope: "", something: "else" };
    expect((await auth.token(form, orders)).status).toBe(200);
  });
});

describe("client authentication", () => {
  test.each([
    ["wrong secret", basic("orders", testSecrets.cli)],
    ["unknown client", basic("nobody", testSecrets.orders)],
    ["client id that cannot be one", basic("\u0000", testSecrets.orders)],
    ["empty secret", basic("orders", "")],
    ["another scheme", `Bearer ${testSecrets.orders}`],
    ["no base64", "Basic %%%"],
    ["no colon", `Basic ${btoa("orders")}`],
    ["broken percent-encoding", `Basic ${btoa("orders:%zz")}`],
    ["two headers joined", `${orders}, ${orders}`],
  ])("%s: 401 invalid_client with a Basic challenge", async (_, authorization) => {
    const response = await auth.token(clientCredentials, authorization);
    expect(response.headers.get("www-authenticate")).toStartWith('Basic realm="');
    await expectError(response, 401, "invalid_client");
  });

  test("none at all: 401 invalid_client with a Basic challenge", async () => {
    const response = await auth.token(clientCredentials);
    expect(response.headers.get("www-authenticate")).toStartWith('Basic realm="');
    await expectError(response, 401, "invalid_client");
  });

  test("an unknown client and a wrong secret are answered alike", async () => {
    const [unknown, wrong] = await Promise.all([
      auth.token(clientCredentials, basic("nobody", testSecrets.orders)),
      auth.token(clientCredentials, basic("orders", testSecrets.cli)),
    ]);
    expect(await unknown.text()).toBe(await wrong.text());
  });

  test("header and body at once is invalid_request, even when both are right", async () => {
    const form = { ...clientCredentials, client_id: "orders", client_secret: testSecrets.orders };
    await expectError(await auth.token(form, orders), 400, "invalid_request");
  });

  test("a client id in the body may repeat the header's and must not contradict it", async () => {
    expect((await auth.token({ ...clientCredentials, client_id: "orders" }, orders)).status).toBe(200);
    await expectError(await auth.token({ ...clientCredentials, client_id: "cli" }, orders), 400, "invalid_request");
  });

  test("credentials in the query are not read (RFC 6749 §2.3.1)", async () => {
    const query = new URLSearchParams({ client_id: "orders", client_secret: testSecrets.orders });
    const response = await auth.app.request(`/oauth/token?${query}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(clientCredentials).toString(),
    });
    await expectError(response, 401, "invalid_client");
  });
});

describe("form of the request", () => {
  async function post(contentType: string, body: string): Promise<Response> {
    const headers = { "content-type": contentType, authorization: orders };
    return auth.app.request("/oauth/token", { method: "POST", headers, body });
  }

  test("JSON is invalid_request", async () => {
    await expectError(await post("application/json", JSON.stringify(clientCredentials)), 400, "invalid_request");
  });

  test("a charset beside the media type is taken", async () => {
    const form = "application/x-www-form-urlencoded; charset=UTF-8";
    expect((await post(form, "grant_type=client_credentials")).status).toBe(200);
  });

  test("a repeated parameter is invalid_request", async () => {
    const body = "grant_type=client_credentials&scope=inventory%3Aread&scope=telemetry%3Awrite";
    await expectError(await post("application/x-www-form-urlencoded", body), 400, "invalid_request");
  });

  test("no grant type is invalid_request, another one unsupported_grant_type", async () => {
    await expectError(await auth.token({}, orders), 400, "invalid_request");
    await expectError(await auth.token({ grant_type: "password" }, orders), 400, "unsupported_grant_type");
  });

  test("GET is not an endpoint", async () => {
    const response = await auth.app.request("/oauth/token");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect(problem.parse(await response.json()).code).toBe("method_not_allowed");
  });
});

describe("token exchange", () => {
  test("gives a token of the person with all scopes of the role, which names the client that acts", async () => {
    const response = await auth.token(exchange, cli);
    expect(response.status).toBe(200);
    const token = await readToken(response);
    expect(token).toMatchObject({ issued_token_type: accessTokenType, scope: scopesOfRole.viewer.join(" ") });
    const claims = await auth.verifier.verify(token.access_token);
    const me = await (await auth.me(token.access_token)).json();
    expect(me).toEqual({ id: claims.sub, name: "Anna", role: "viewer" });
    expect(claims).toMatchObject({ role: "viewer", client_id: "cli", act: { sub: "cli" } });
    expect(claims.service).toBeUndefined();
  });

  test("scopes can be narrowed within the role and not beyond it", async () => {
    const narrowed = await readToken(await auth.token({ ...exchange, scope: "orders:read" }, cli));
    expect(narrowed.scope).toBe("orders:read");
    await expectError(await auth.token({ ...exchange, scope: "users:admin" }, cli), 400, "invalid_scope");
  });

  test("a client that may not act for others is unauthorized_client", async () => {
    await expectError(await auth.token(exchange, orders), 400, "unauthorized_client");
  });

  test("an unknown person is invalid_grant", async () => {
    await expectError(await auth.token({ ...exchange, subject_token: "nobody" }, cli), 400, "invalid_grant");
    await expectError(await auth.token({ ...exchange, subject_token: "\u0000" }, cli), 400, "invalid_grant");
  });

  test.each([
    ["no subject", { subject_token: "" }, "invalid_request"],
    ["no subject type", { subject_token_type: "" }, "invalid_request"],
    ["a subject of another type", { subject_token_type: accessTokenType }, "invalid_request"],
    ["another type asked for", { requested_token_type: "urn:ietf:params:oauth:token-type:saml2" }, "invalid_request"],
    ["an actor", { actor_token: "x", actor_token_type: accessTokenType }, "invalid_request"],
    ["another audience", { audience: "elsewhere" }, "invalid_target"],
    ["a resource", { resource: "https://elsewhere.example/" }, "invalid_target"],
  ])("%s is refused", async (_, change, error) => {
    await expectError(await auth.token({ ...exchange, ...change }, cli), 400, error);
  });

  test("our own audience and token type may be named", async () => {
    const form = { ...exchange, audience: "vitrine", requested_token_type: accessTokenType };
    expect((await auth.token(form, cli)).status).toBe(200);
  });
});
