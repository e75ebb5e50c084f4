import { describe, expect, test } from "bun:test";
import { exportJWK, generateKeyPair, jwtVerify } from "jose";
import { createTokenSource } from "./source.ts";

/** A token endpoint under the test's control, and a clock. */
function open(options: { readonly scopes?: readonly string[] } = {}) {
  let nowMs = 1_800_000_000_000;
  let issued = 0;
  const requests: { readonly headers: Headers; readonly form: URLSearchParams; readonly init: RequestInit }[] = [];
  const fresh = () => {
    issued += 1;
    return Response.json({ access_token: `token-${issued}`, token_type: "Bearer", expires_in: 900, scope: "a" });
  };
  let answer: () => Response | Promise<Response> = fresh;
  const source = createTokenSource({
    tokenUrl: "http://auth.test/oauth/token",
    clientId: "orders: a",
    clientSecret: "s3cret%&+ü",
    ...options,
    now: () => nowMs,
    fetch: async (_, init) => {
      requests.push({ headers: new Headers(init.headers), form: new URLSearchParams(init.body as string), init });
      return await answer();
    },
  });
  return {
    source,
    requests,
    answerWith: (next: () => Response | Promise<Response>) => {
      answer = next;
    },
    answerAgain: () => {
      answer = fresh;
    },
    passSeconds: (seconds: number) => {
      nowMs += seconds * 1_000;
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}

describe("the request", () => {
  test("is a client credentials grant with encoded Basic credentials, a deadline and no redirects", async () => {
    const { source, requests } = open({ scopes: ["telemetry:write", "inventory:read"] });
    await source.get();
    const [request] = requests;
    expect(Buffer.from(request?.headers.get("authorization")?.slice(6) ?? "", "base64").toString()).toBe(
      "orders%3A%20a:s3cret%25%26%2B%C3%BC",
    );
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      grant_type: "client_credentials",
      scope: "telemetry:write inventory:read",
    });
    expect(request?.init).toMatchObject({ method: "POST", redirect: "manual" });
    expect(request?.init.signal).toBeInstanceOf(AbortSignal);
  });

  test("is made once for all that ask at once", async () => {
    const { source, requests } = open();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => source.get()));
    expect(new Set(tokens)).toEqual(new Set(["token-1"]));
    expect(requests).toHaveLength(1);
  });
});

describe("a client with a key of its own", () => {
  const audience = "http://localhost:8080";

  test.each(["EdDSA", "ES256", "PS256", "RS256"])(
    "proves itself anew with each request, by a JWT signed with %s and no secret",
    async (alg) => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const jwk = { ...(await exportJWK(privateKey)), alg, kid: "key-1" };
      const forms: URLSearchParams[] = [];
      const headers: Headers[] = [];
      const source = createTokenSource({
        tokenUrl: "http://auth.test/oauth/token",
        clientId: "billing",
        clientKey: { jwk, audience },
        fetch: async (_, init) => {
          forms.push(new URLSearchParams(init.body as string));
          headers.push(new Headers(init.headers));
          return Response.json({ access_token: "token", token_type: "Bearer", expires_in: 900, scope: "a" });
        },
      });
      await source.get();
      source.forget();
      await source.get();
      expect(headers.some((one) => one.has("authorization"))).toBe(false);
      const ids = new Set<unknown>();
      for (const form of forms) {
        expect(form.get("client_assertion_type")).toBe("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        const { payload, protectedHeader } = await jwtVerify(form.get("client_assertion") ?? "", publicKey, {
          issuer: "billing",
          subject: "billing",
          audience,
          requiredClaims: ["jti", "iat", "exp"],
        });
        expect(protectedHeader).toEqual({ alg, kid: "key-1" });
        expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
        ids.add(payload.jti);
      }
      expect(ids.size).toBe(2);
    },
  );

  test("that cannot sign is unavailable, without the key in the error", async () => {
    const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    const jwk = await exportJWK(privateKey);
    const options = { tokenUrl: "http://auth.test/oauth/token", clientId: "billing" };
    for (const unusable of [
      jwk,
      { ...jwk, alg: "RS256" },
      { kty: "OKP", crv: "Ed25519", alg: "EdDSA", d: jwk.d ?? "" },
    ]) {
      const error = await createTokenSource({ ...options, clientKey: { jwk: unusable, audience } })
        .get()
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "unavailable" });
      expect(Bun.inspect(error)).not.toContain(jwk.d ?? "?");
    }
  });
});

describe("renewal", () => {
  test("begins after four fifths of the token's life and hands out the new one from then on", async () => {
    const { source, requests, passSeconds } = open();
    await source.get();
    passSeconds(719);
    expect(await source.get()).toBe("token-1");
    expect(requests).toHaveLength(1);
    passSeconds(1);
    await Promise.all([source.get(), source.get(), source.get()]);
    await settle();
    expect(requests).toHaveLength(2);
    expect(await source.get()).toBe("token-2");
  });

  test("does not hold a caller up while the old token is good", async () => {
    const { source, answerWith, passSeconds } = open();
    await source.get();
    passSeconds(800);
    answerWith(() => new Promise<Response>(() => undefined));
    expect(await source.get()).toBe("token-1");
  });

  test("that fails leaves the old token in use until it expires, with a pause between requests", async () => {
    const { source, requests, answerWith, answerAgain, passSeconds } = open();
    await source.get();
    answerWith(() => new Response("", { status: 503 }));
    passSeconds(800);
    for (let n = 0; n < 20; n += 1) {
      expect(await source.get()).toBe("token-1");
      await settle();
    }
    expect(requests).toHaveLength(2);
    passSeconds(2);
    expect(await source.get()).toBe("token-1");
    await settle();
    expect(requests).toHaveLength(3);
    passSeconds(98);
    await expect(source.get()).rejects.toMatchObject({ code: "unavailable" });
    answerAgain();
    expect(await source.get()).toBe("token-2");
  });

  test("is forced by forget()", async () => {
    const { source, requests } = open();
    await source.get();
    source.forget();
    expect(await source.get()).toBe("token-2");
    expect(requests).toHaveLength(2);
  });
});

describe("an endpoint that gives no token", () => {
  const answers: readonly (readonly [string, () => Response | Promise<Response>])[] = [
    ["401", () => Response.json({ error: "invalid_client" }, { status: 401 })],
    ["500", () => new Response("", { status: 500 })],
    ["a redirect", () => new Response("", { status: 302, headers: { location: "http://evil.test" } })],
    ["HTML", () => new Response("<html>")],
    ["no life", () => Response.json({ access_token: "a", token_type: "Bearer", expires_in: 0, scope: "" })],
    ["another token type", () => Response.json({ access_token: "a", token_type: "mac", expires_in: 9, scope: "" })],
    ["a broken connection", () => Promise.reject(new TypeError("refused"))],
    ["its deadline", () => Promise.reject(new DOMException("timed out", "TimeoutError"))],
  ];
  test.each(answers)("but %s is unavailable, without the secret in the error", async (_, answer) => {
    const { source, answerWith } = open();
    answerWith(answer);
    const error = await source.get().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unavailable", headers: { "retry-after": "2" } });
    expect(Bun.inspect(error)).not.toContain("s3cret");
  });
});
