import { describe, expect, test } from "bun:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { ServiceError } from "../errors.ts";
import { createTokenVerifier } from "./verifier.ts";

const issuer = "http://localhost:8080";
const audience = "vitrine";

interface SigningKey {
  readonly jwk: Readonly<Record<string, unknown>>;
  sign(expiresIn?: number): Promise<string>;
}

let serial = 0;

/** An issuer's side of the story: keys, a clock and an endpoint that the test controls. */
function open() {
  let nowMs = 1_800_000_000_000;
  let requests = 0;
  let published: readonly unknown[] = [];
  const inits: RequestInit[] = [];
  let answer: () => Response | Promise<Response> = () => Response.json({ keys: published });
  const verifier = createTokenVerifier({
    jwksUrl: "http://auth.test/.well-known/jwks.json",
    issuer,
    audience,
    now: () => nowMs,
    fetch: async (_, init) => {
      requests += 1;
      inits.push(init);
      return await answer();
    },
  });
  return {
    verifier,
    inits,
    requests: () => requests,
    publish: (...keys: readonly unknown[]) => {
      published = keys;
    },
    answerWith: (next: () => Response | Promise<Response>) => {
      answer = next;
    },
    answerAgain: () => {
      answer = () => Response.json({ keys: published });
    },
    passMs: (ms: number) => {
      nowMs += ms;
    },
    newKey: async (kid: string): Promise<SigningKey> => {
      const { publicKey, privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
      return {
        jwk: { ...(await exportJWK(publicKey)), kid, use: "sig", alg: "EdDSA" },
        sign: (expiresIn = 900) => {
          const iat = Math.floor(nowMs / 1_000);
          serial += 1;
          return new SignJWT({ client_id: "shop", scope: "orders:read" })
            .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid })
            .setIssuer(issuer)
            .setAudience(audience)
            .setSubject("anna")
            .setJti(`token-${serial}`)
            .setIssuedAt(iat)
            .setExpirationTime(iat + expiresIn)
            .sign(privateKey);
        },
      };
    },
  };
}

async function outcomeOf(verifying: Promise<unknown>): Promise<string> {
  try {
    await verifying;
    return "passed";
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return error.code === "invalid_token" ? (error.reason ?? "") : error.code;
  }
}

describe("asking for keys", () => {
  test("one request serves all tokens that arrive at once, with a deadline and no redirects", async () => {
    const { verifier, publish, newKey, requests, inits } = open();
    const key = await newKey("a");
    publish(key.jwk);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => key.sign()));
    await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(requests()).toBe(1);
    expect(inits[0]?.redirect).toBe("manual");
    expect(inits[0]?.signal).toBeInstanceOf(AbortSignal);
    expect(new Headers(inits[0]?.headers).has("authorization")).toBe(false);
  });

  test("a storm of 1,000 unknown key ids makes one request per cool-down and does not hold up known keys", async () => {
    const { verifier, publish, newKey, requests, passMs } = open();
    const key = await newKey("a");
    publish(key.jwk);
    await verifier.ready();
    const forged = await Promise.all(
      Array.from({ length: 1_000 }, async (_, n) => (await newKey(`forged-${n % 10}-${n}`)).sign()),
    );
    const storm = async () => {
      const outcomes = await Promise.all(forged.map((token) => outcomeOf(verifier.verify(token))));
      expect(new Set(outcomes)).toEqual(new Set(["unknown_key"]));
    };
    await storm();
    expect(requests()).toBe(1);
    passMs(2_000);
    await storm();
    await storm();
    expect(requests()).toBe(2);
    expect(await outcomeOf(verifier.verify(await key.sign()))).toBe("passed");
  });

  test("while the endpoint fails, a storm makes one request per cool-down too", async () => {
    const { verifier, newKey, requests, passMs, answerWith } = open();
    const key = await newKey("a");
    answerWith(() => new Response("", { status: 500 }));
    const token = await key.sign();
    for (let n = 0; n < 50; n += 1) expect(await outcomeOf(verifier.verify(token))).toBe("unavailable");
    expect(requests()).toBe(1);
    passMs(2_000);
    for (let n = 0; n < 50; n += 1) expect(await outcomeOf(verifier.verify(token))).toBe("unavailable");
    expect(requests()).toBe(2);
  });
});

describe("an endpoint that cannot be trusted", () => {
  const usable = { kty: "OKP", crv: "Ed25519", kid: "a", x: "A".repeat(43) };
  const many = Array.from({ length: 1_000 }, (_, n) => ({ ...usable, kid: `k${n}` }));
  const answers: readonly (readonly [string, () => Response | Promise<Response>])[] = [
    ["500", () => new Response("no", { status: 500 })],
    ["404", () => new Response("no", { status: 404 })],
    ["a redirect", () => new Response("", { status: 302, headers: { location: "http://evil.test/jwks" } })],
    ["HTML", () => new Response("<html>")],
    ["nothing", () => new Response("")],
    ["a list", () => Response.json([usable])],
    ["no keys", () => Response.json({})],
    ["an empty set", () => Response.json({ keys: [] })],
    ["1,000 keys", () => Response.json({ keys: many })],
    ["an RSA key", () => Response.json({ keys: [{ kty: "RSA", kid: "a", n: "AQAB", e: "AQAB" }] })],
    ["a symmetric key", () => Response.json({ keys: [{ kty: "oct", kid: "a", k: "c2VjcmV0" }] })],
    ["an encryption key", () => Response.json({ keys: [{ ...usable, use: "enc" }] })],
    ["a key without id", () => Response.json({ keys: [{ ...usable, kid: undefined }] })],
    ["a key that is too short", () => Response.json({ keys: [{ ...usable, x: "AAAA" }] })],
    ["a key that is not base64url", () => Response.json({ keys: [{ ...usable, x: "!".repeat(43) }] })],
    ["a broken connection", () => Promise.reject(new TypeError("refused"))],
    ["its deadline", () => Promise.reject(new DOMException("timed out", "TimeoutError"))],
  ];

  test.each(answers)(
    "that answers with %s makes it unavailable: never a pass, never invalid_token",
    async (_, answer) => {
      const { verifier, newKey, answerWith } = open();
      answerWith(answer);
      const key = await newKey("a");
      const error = await verifier.verify(await key.sign()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "unavailable", status: 503, headers: { "retry-after": "2" } });
      await expect(verifier.ready()).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  test("is not listened to without end", async () => {
    const { verifier, newKey, answerWith } = open();
    let told = 0;
    const ended = Promise.withResolvers<void>();
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      told += 1;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    };
    answerWith(() => new Response(new ReadableStream({ pull, cancel: () => ended.resolve() })));
    const key = await newKey("a");
    expect(await outcomeOf(verifier.verify(await key.sign()))).not.toBe("passed");
    await ended.promise;
    expect(told).toBeLessThan(10);
  });

  test("one key that is no good does not take the others with it", async () => {
    const { verifier, newKey, publish } = open();
    const key = await newKey("a");
    publish({ ...usable, kid: "b", x: "!".repeat(43) }, { kty: "RSA" }, null, key.jwk);
    expect(await outcomeOf(verifier.verify(await key.sign()))).toBe("passed");
  });
});

describe("while the auth service is away", () => {
  test("known keys go on being used, however old", async () => {
    const { verifier, newKey, publish, answerWith, passMs } = open();
    const key = await newKey("a");
    publish(key.jwk);
    await verifier.ready();
    answerWith(() => new Response("", { status: 503 }));
    for (let minutes = 0; minutes < 60; minutes += 10) {
      passMs(600_000);
      expect(await outcomeOf(verifier.verify(await key.sign()))).toBe("passed");
    }
  });

  test("a token of a key we do not have is unavailable, not invalid: it may be good", async () => {
    const { verifier, newKey, publish, answerWith, answerAgain, passMs } = open();
    const [old, fresh] = [await newKey("old"), await newKey("fresh")];
    publish(old.jwk);
    await verifier.ready();
    answerWith(() => new Response("", { status: 503 }));
    passMs(2_000);
    const token = await fresh.sign();
    expect(await outcomeOf(verifier.verify(token))).toBe("unavailable");
    expect(await outcomeOf(verifier.verify(token))).toBe("unavailable");
    answerAgain();
    publish(old.jwk, fresh.jwk);
    passMs(2_000);
    expect(await outcomeOf(verifier.verify(token))).toBe("passed");
  });

  test("a slow endpoint does not hold up a token that can be judged", async () => {
    const { verifier, newKey, publish, answerWith, passMs } = open();
    const key = await newKey("a");
    publish(key.jwk);
    await verifier.ready();
    passMs(300_001);
    answerWith(() => new Promise<Response>(() => undefined));
    expect(await outcomeOf(verifier.verify(await key.sign()))).toBe("passed");
  });
});

describe("rotation", () => {
  test("a new key is picked up with the first token that names it", async () => {
    const { verifier, newKey, publish, passMs, requests } = open();
    const [old, fresh] = [await newKey("old"), await newKey("fresh")];
    publish(old.jwk);
    await verifier.ready();
    publish(old.jwk, fresh.jwk);
    passMs(2_000);
    expect(await outcomeOf(verifier.verify(await fresh.sign()))).toBe("passed");
    expect(await outcomeOf(verifier.verify(await old.sign()))).toBe("passed");
    expect(requests()).toBe(2);
  });

  test("a key that was taken back ends its tokens within the refresh time, the known ones too", async () => {
    const { verifier, newKey, publish, passMs } = open();
    const [bad, good] = [await newKey("bad"), await newKey("good")];
    publish(bad.jwk, good.jwk);
    const token = await bad.sign();
    await verifier.verify(token);
    publish(good.jwk);
    passMs(300_001);
    await verifier.verify(token);
    await verifier.verify(await good.sign());
    expect(await outcomeOf(verifier.verify(token))).toBe("unknown_key");
  });

  test("another key under the same id ends the tokens of the first", async () => {
    const { verifier, newKey, publish, passMs } = open();
    const [first, second] = [await newKey("a"), await newKey("a")];
    publish(first.jwk);
    const token = await first.sign();
    await verifier.verify(token);
    publish(second.jwk);
    passMs(300_001);
    await verifier.verify(token);
    await verifier.verify(await second.sign()).catch(() => undefined);
    expect(await outcomeOf(verifier.verify(token))).toBe("bad_signature");
  });
});

describe("a token that was verified before is recalled without waiting", () => {
  test("as long as its time, its key and the freshness of the key set allow, and no longer", async () => {
    const { verifier, newKey, publish, passMs } = open();
    const key = await newKey("a");
    publish(key.jwk);
    const token = await key.sign(200);
    expect(verifier.recall?.(token)).toBeUndefined();
    const claims = await verifier.verify(token);
    expect(verifier.recall?.(token)).toBe(claims);
    expect(verifier.recall?.(`${token}A`)).toBeUndefined();
    passMs(206_000);
    expect(verifier.recall?.(token)).toBeUndefined();

    const long = await key.sign(900);
    await verifier.verify(long);
    passMs(100_000);
    expect(verifier.recall?.(long)).toBeUndefined();
    await verifier.verify(long);
    while (verifier.keysAgeMs() > 0) await Bun.sleep(1);
    // Every key set is judged anew, with every token it has signed.
    await verifier.verify(long);
    expect(verifier.recall?.(long)).toBeDefined();
  });

  test("not once its key was replaced under its id", async () => {
    const { verifier, newKey, publish, passMs } = open();
    const [first, second] = [await newKey("a"), await newKey("a")];
    publish(first.jwk);
    const token = await first.sign();
    await verifier.verify(token);
    publish(second.jwk);
    passMs(300_001);
    await verifier.verify(token);
    await verifier.verify(await second.sign()).catch(() => undefined);
    expect(verifier.recall?.(token)).toBeUndefined();
  });
});
