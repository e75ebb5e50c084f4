import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { user } from "@vitrine/contracts/auth";
import { problem } from "@vitrine/contracts/problem";
import { scopesOfRole } from "@vitrine/contracts/scopes";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import type { PasswordFunction } from "../passwords.ts";
import { basic, readToken, startAuth, type TestAuth, testSecrets } from "../testing/start-auth.ts";

let auth: TestAuth;
const password = "an orchid in the window";
let people = 0;

beforeAll(async () => {
  auth = await startAuth();
});

afterAll(() => auth[Symbol.asyncDispose]());

function newName(): string {
  people += 1;
  return `Person-${people}`;
}

async function signedUp(): Promise<{ readonly name: string; readonly id: string }> {
  const name = newName();
  const response = await auth.json("/api/auth/register", { name, password });
  expect(response.status).toBe(201);
  return user.parse(await response.json());
}

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return problem.parse(await response.json());
}

describe("register", () => {
  test("makes a viewer and answers with nothing but id, name and role", async () => {
    const name = newName();
    const response = await auth.json("/api/auth/register", { name, password });
    expect(response.status).toBe(201);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ id: expect.any(String), name, role: "viewer" });
  });

  test("keeps the password as argon2id with 19 MiB and two passes", async () => {
    const { id } = await signedUp();
    const [row] = await auth.database.query<{ hash: string }>("select password_hash as hash from users where id = $1", [
      id,
    ]);
    expect(row?.hash).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
  });

  test("a name can be had once, whatever its case", async () => {
    const { name } = await signedUp();
    const response = await auth.json("/api/auth/register", { name: name.toUpperCase(), password });
    expect(response.status).toBe(409);
    expect(await problemOf(response)).toMatchObject({ code: "name_taken" });
  });

  test("of many registrations of one name at once one succeeds and all others find it taken", async () => {
    const name = newName();
    const forms = [name, name.toUpperCase(), name.toLowerCase()];
    const responses = await Promise.all(
      Array.from({ length: 12 }, (_, index) => auth.json("/api/auth/register", { name: forms[index % 3], password })),
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(11);
  });

  test.each(["password123", "PASSWORD123", "qwertyuiop", "ｐａｓｓｗｏｒｄ１２３"])(
    "a password that is guessed first is refused: %p",
    async (guessed) => {
      const response = await auth.json("/api/auth/register", { name: newName(), password: guessed });
      expect(response.status).toBe(400);
      expect((await problemOf(response)).fields).toMatchObject([{ field: "password" }]);
    },
  );

  test("the name is refused as password", async () => {
    const response = await auth.json("/api/auth/register", { name: "Long-Enough-Name", password: "long-enough-name" });
    expect(response.status).toBe(400);
  });

  test.each([
    ["short password", { name: "somebody", password: "7 chars" }],
    ["password over 128", { name: "somebody", password: "x".repeat(129) }],
    ["name with a space", { name: "some body", password }],
    ["role of one's own choice", { name: "somebody", password, role: "admin" }],
    ["no password", { name: "somebody" }],
  ])("is refused with 400: %s", async (_, body) => {
    const response = await auth.json("/api/auth/register", body);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: "invalid_request" });
  });

  test("128 characters without any composition are a password", async () => {
    const long = "ab".repeat(64);
    const name = newName();
    expect((await auth.json("/api/auth/register", { name, password: long })).status).toBe(201);
    expect((await auth.json("/api/auth/login", { name, password: long })).status).toBe(200);
  });
});

describe("login", () => {
  test("answers with a token that the kit's verifier takes, carrying the role and all its scopes", async () => {
    const { id, name } = await signedUp();
    const response = await auth.json("/api/auth/login", { name: name.toLowerCase(), password });
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const token = await readToken(response);
    expect(token).toMatchObject({ token_type: "Bearer", expires_in: 900, scope: scopesOfRole.viewer.join(" ") });
    const verifier = createTokenVerifier({
      ...auth.config.tokens,
      jwksUrl: "http://auth.test/.well-known/jwks.json",
      fetch: async () => auth.app.request("/.well-known/jwks.json"),
    });
    const claims = await verifier.verify(token.access_token);
    expect(claims).toEqual({
      iss: auth.config.tokens.issuer,
      aud: auth.config.tokens.audience,
      sub: id,
      client_id: "vitrine",
      role: "viewer",
      sid: expect.any(String),
      scope: token.scope,
      iat: expect.any(Number),
      exp: claims.iat + 900,
      jti: expect.any(String),
    });
  });

  test("a password composed differently by the keyboard is the same password", async () => {
    const name = newName();
    await auth.json("/api/auth/register", { name, password: "Café de la Paix" });
    expect((await auth.json("/api/auth/login", { name, password: "Cafe\u0301 de la Paix" })).status).toBe(200);
  });

  test("an unknown name, a wrong password and a name that cannot be one are answered alike", async () => {
    const { name } = await signedUp();
    const answers = [];
    for (const body of [
      { name, password: "not this one" },
      { name: "nobody-has-this", password },
      { name: "nul\u0000 and spaces", password },
    ]) {
      const response = await auth.json("/api/auth/login", body);
      const { requestId, instance: _, ...rest } = await problemOf(response);
      expect(requestId).not.toBe("");
      const headers = [...response.headers].filter(([header]) => header !== "x-request-id");
      answers.push({ status: response.status, headers, rest });
    }
    expect(answers[0]).toMatchObject({ status: 401, rest: { code: "invalid_credentials" } });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });
});

describe("work per sign-in", () => {
  test("an unknown name costs the same one verification as a wrong password, against a hash of the same cost", async () => {
    const verified: string[] = [];
    let hashes = 0;
    const counting: PasswordFunction = {
      hash: (text) => {
        hashes += 1;
        return Bun.password.hash(text, { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 });
      },
      verify: (text, hash) => {
        verified.push(hash.split("$").slice(0, 4).join("$"));
        return Bun.password.verify(text, hash);
      },
    };
    await using own = await startAuth({ passwordFunction: counting });
    await own.json("/api/auth/register", { name: "known", password });
    hashes = 0;
    const cost = async (name: string) => {
      verified.length = 0;
      expect((await own.json("/api/auth/login", { name, password: "wrong one" })).status).toBe(401);
      return [...verified];
    };
    const known = await cost("known");
    expect(known).toEqual(["$argon2id$v=19$m=19456,t=2,p=1"]);
    expect(await cost("unknown")).toEqual(known);
    expect(hashes).toBe(0);
  });

  test("sign-ins past the bound get 503 with Retry-After instead of memory, and leave a line each", async () => {
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const held: PasswordFunction = {
      hash: async () => "a hash",
      verify: async () => {
        running += 1;
        await gate.promise;
        return false;
      },
    };
    await using own = await startAuth({ passwordFunction: held, env: { PASSWORD_HASHES_AT_ONCE: "1" } });
    const attempts = Array.from({ length: 40 }, (_, index) =>
      own.send("POST", "/api/auth/login", {
        address: `198.51.100.${index}`,
        body: { name: `nobody-${index}`, password: "x" },
      }),
    );
    const refusals: Response[] = [];
    const allRefused = Promise.withResolvers<void>();
    const watch = async (attempt: Promise<Response>) => {
      const response = await attempt;
      if (response.status === 503 && refusals.push(response) === 7) allRefused.resolve();
    };
    for (const attempt of attempts) void watch(attempt);
    await allRefused.promise;
    expect(Number(refusals[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(running).toBe(1);
    gate.resolve();
    const statuses = (await Promise.all(attempts)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(33);
    expect(statuses.filter((status) => status === 503)).toHaveLength(7);
    const throttled = own.lines.filter((line) => JSON.stringify(line).includes('"reason":"busy"'));
    expect(throttled).toHaveLength(7);
  });
});

describe("me", () => {
  test("is the person of the token", async () => {
    const { id, name } = await signedUp();
    const { access_token } = await readToken(await auth.json("/api/auth/login", { name, password }));
    const response = await auth.me(access_token);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ id, name, role: "viewer" });
  });

  test("without a token: 401 with a bare Bearer challenge", async () => {
    const response = await auth.app.request("/api/auth/me");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
  });

  test("with a token nobody signed: 401 invalid_token", async () => {
    const response = await auth.me("eyJhbGciOiJFZERTQSJ9.e30.AAAA");
    expect(response.status).toBe(401);
    expect(await problemOf(response)).toMatchObject({ code: "invalid_token" });
  });

  test("with a service's token: 403", async () => {
    const form = { grant_type: "client_credentials" };
    const { access_token } = await readToken(await auth.token(form, basic("orders", testSecrets.orders)));
    const response = await auth.me(access_token);
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toBe('Bearer error="insufficient_scope"');
  });

  test("of a person who was disabled: 401, and no sign-in any more", async () => {
    const { id, name } = await signedUp();
    const { access_token } = await readToken(await auth.json("/api/auth/login", { name, password }));
    await auth.database.query("update users set disabled_at = now() where id = $1", [id]);
    const response = await auth.me(access_token);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    expect((await auth.json("/api/auth/login", { name, password })).status).toBe(401);
  });
});
