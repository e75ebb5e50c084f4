import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createTokenVerifier } from "@vitrine/kit/tokens";
import { createKeyring } from "@vitrine/kit/tokens/keyring";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { type Gateway, startGateway } from "./testing/harness.ts";

const startMs = 1_700_000_000_000;
const minuteMs = 60_000;
const usable = { kty: "OKP", crv: "Ed25519", use: "sig", alg: "EdDSA" };

/** What an auth service may answer when it is asked for its keys and is not well, and whether that ever ends. */
const answers: readonly (readonly [string, () => Response | Promise<Response>, boolean])[] = [
  ["is not there", () => Promise.reject(new TypeError("refused")), true],
  ["answers 500", () => new Response("no", { status: 500 }), true],
  ["answers garbage", () => new Response("<html>\0"), true],
  ["never answers", () => new Promise<Response>(() => undefined), false],
  [
    "has 1,000 keys",
    () =>
      Response.json({
        keys: Array.from({ length: 1_000 }, (_, n) => ({ ...usable, kid: `k${n}`, x: "A".repeat(43) })),
      }),
    true,
  ],
];

describe.each(answers)("ten minutes in which the key set %s", (_, answer, ends) => {
  let nowMs = startMs;
  let away = false;
  let asked = 0;
  let issuer: TestIssuer;
  let stranger: TestIssuer;
  let gateway: Gateway;
  const keyring = createKeyring({ now: () => nowMs });

  beforeAll(async () => {
    issuer = await createTestIssuer({ now: () => nowMs });
    stranger = await createTestIssuer({ now: () => nowMs });
    const verifier = createTokenVerifier({
      issuer: issuer.issuer,
      audience: issuer.audience,
      jwksUrl: "http://auth.test/.well-known/jwks.json",
      now: () => nowMs,
      isRevoked: (claims, kid) => keyring.isRevoked(claims, kid),
      fetch: async (url) => {
        asked += 1;
        return away ? await answer() : await issuer.jwksFetch(url);
      },
    });
    await verifier.ready();
    gateway = await startGateway({ verifier });
  });
  afterAll(() => gateway.stop());

  const post = async (token: string) => {
    const response = await fetch(`${gateway.otlpUrl}/v1/logs`, {
      method: "POST",
      body: "{}",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    await response.arrayBuffer();
    return response.status;
  };

  test("good tokens pass for their life, revoked and forged ones never, unknown keys are 503, and nobody storms auth", async () => {
    const life = { exp: startMs / 1_000 + 700 };
    const known = await issuer.sign("logs:write", life);
    const unused = await issuer.sign("logs:write", life);
    const revoked = await issuer.sign("logs:write", { ...life, jti: "taken-back" });
    const forged = await stranger.sign("logs:write", life);
    expect([await post(known), await post(revoked)]).toEqual([200, 200]);
    away = true;
    keyring.apply({
      seq: 1,
      snapshot: false,
      keys: [],
      revocations: [{ kind: "jti", id: "taken-back", atMs: nowMs, expiresAtMs: nowMs + 900_000 }],
    });
    asked = 0;
    for (let minute = 0; minute < 10; minute += 1) {
      nowMs += minuteMs;
      const outcomes = await Promise.all([post(known), post(unused), post(revoked), post(forged), post(`${known}A`)]);
      expect(outcomes).toEqual([200, 200, 401, 401, 401]);
    }
    // Once for each cool-down in which somebody came, at most.
    expect(asked).toBeLessThanOrEqual(10);
    // A key that was never seen may be a new one: a 401 would make its client throw away what it holds.
    if (ends) {
      nowMs += minuteMs / 2;
      asked = 0;
      const fresh = await issuer.sign("logs:write", {}, { kid: "rotated-in" });
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => post(fresh)));
      expect(new Set(outcomes)).toEqual(new Set([503]));
      expect(asked).toBe(1);
    }
    nowMs += 2 * minuteMs;
    expect(await post(known)).toBe(401);
  });
});
