import { beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { ServiceError } from "../errors.ts";
import type { TokenRefusal } from "./refusal.ts";
import { createTokenVerifier } from "./verifier.ts";

const issuer = "http://localhost:8080";
const audience = "vitrine";
const startMs = 1_800_000_000_000;
const iat = startMs / 1_000;
const good = {
  iss: issuer,
  sub: "anna",
  aud: audience,
  iat,
  exp: iat + 900,
  jti: "token-1",
  client_id: "shop",
  scope: "orders:read",
};
const goodHeader = { alg: "EdDSA", typ: "at+jwt", kid: "key-1" };

let ours: CryptoKeyPair;
let keySet: string;
let publicPem: string;

beforeAll(async () => {
  ours = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  publicPem = await exportSPKI(ours.publicKey);
  keySet = JSON.stringify({ keys: [{ ...(await exportJWK(ours.publicKey)), kid: "key-1", use: "sig", alg: "EdDSA" }] });
});

function open() {
  let nowMs = startMs;
  const verifier = createTokenVerifier({
    jwksUrl: "http://auth.test/.well-known/jwks.json",
    issuer,
    audience,
    fetch: async () => new Response(keySet),
    now: () => nowMs,
  });
  return {
    verifier,
    passSeconds: (seconds: number) => {
      nowMs += seconds * 1_000;
    },
  };
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** Signs exactly these texts: what no library would make. */
async function signRaw(header: unknown, payload: unknown, key: CryptoKey = ours.privateKey): Promise<string> {
  const input = `${encode(header)}.${encode(payload)}`;
  const signature = await crypto.subtle.sign("Ed25519", key, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
}

async function refusalOf(token: string, verifier = open().verifier): Promise<TokenRefusal | undefined> {
  try {
    await verifier.verify(token);
    return undefined;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    expect(error.code).toBe("invalid_token");
    expect(error.headers["www-authenticate"]).toStartWith('Bearer error="invalid_token"');
    return error.reason as TokenRefusal;
  }
}

test("a good token passes and gives its claims", async () => {
  const { verifier } = open();
  expect(await verifier.verify(await signRaw(goodHeader, good))).toEqual(good);
});

describe("the algorithm is ours, never the token's", () => {
  test.each(["none", "None", "NONE", "eddsa", ""])("alg %p is refused", async (alg) => {
    const unsigned = `${encode({ ...goodHeader, alg })}.${encode(good)}.`;
    expect(await refusalOf(unsigned)).toBe("malformed_token");
    expect(await refusalOf(await signRaw({ ...goodHeader, alg }, good))).toMatch(/bad_signature|malformed_token/);
  });

  test.each(["HS256", "HS512"])("%s keyed with the public key is refused", async (alg) => {
    const input = `${encode({ ...goodHeader, alg })}.${encode(good)}`;
    for (const key of [publicPem, keySet]) {
      const signature = createHmac(alg === "HS256" ? "sha256" : "sha512", key)
        .update(input)
        .digest("base64url");
      expect(await refusalOf(`${input}.${signature}`)).toBe("bad_signature");
    }
  });

  test("ES256 under our key id is refused", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const token = await new SignJWT(good).setProtectedHeader({ ...goodHeader, alg: "ES256" }).sign(privateKey);
    expect(await refusalOf(token)).toBe("bad_signature");
  });

  test("another Ed25519 key under our key id is refused", async () => {
    const theirs = await generateKeyPair("EdDSA", { crv: "Ed25519" });
    expect(await refusalOf(await signRaw(goodHeader, good, theirs.privateKey))).toBe("bad_signature");
  });

  test("a payload or header changed after signing is refused", async () => {
    const [header, payload, signature] = (await signRaw(goodHeader, good)).split(".");
    expect(await refusalOf(`${header}.${encode({ ...good, sub: "eve" })}.${signature}`)).toBe("bad_signature");
    expect(await refusalOf(`${encode({ ...goodHeader, x: 1 })}.${payload}.${signature}`)).toBe("bad_signature");
  });
});

describe("the key id is a map key and nothing more", () => {
  test.each([undefined, "", "key-2", "../key-1", "key-1\u0000", "x".repeat(65), "__proto__", "constructor"])(
    "kid %p is refused",
    async (kid) => {
      expect(await refusalOf(await signRaw({ ...goodHeader, kid }, good))).toBe("unknown_key");
    },
  );

  test.each([[1], [null], [{}], [["key-1"]]])("kid %p is not even text", async (kid) => {
    expect(await refusalOf(await signRaw({ ...goodHeader, kid }, good))).toMatch(/malformed_token|unknown_key/);
  });

  test("keys that the token brings or points at are ignored", async () => {
    const theirs = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    const header = {
      ...goodHeader,
      jwk: await exportJWK(theirs.publicKey),
      jku: "http://evil.test/jwks.json",
      x5u: "http://evil.test/cert.pem",
      x5c: ["AAAA"],
    };
    expect(await refusalOf(await signRaw(header, good, theirs.privateKey))).toBe("bad_signature");
    expect(await refusalOf(await signRaw({ ...header, kid: "evil" }, good, theirs.privateKey))).toBe("unknown_key");
  });
});

describe("the form is compact, canonical and plain", () => {
  test.each([
    [{ crit: ["exp"], exp: 1 }],
    [{ crit: ["vendor"], vendor: true }],
    [{ crit: [] }],
    [{ crit: ["b64"], b64: false }],
  ])("header %p is refused", async (extra) => {
    expect(await refusalOf(await signRaw({ ...goodHeader, ...extra }, good))).toBe("malformed_token");
  });

  test("JSON serialisation is refused", async () => {
    const [header, payload, signature] = (await signRaw(goodHeader, good)).split(".");
    const flattened = { protected: header, payload, signature };
    const general = { payload, signatures: [{ protected: header, signature }] };
    for (const form of [flattened, general]) expect(await refusalOf(JSON.stringify(form))).toBe("malformed_token");
  });

  test("every other text of the same token is refused, before and after the token itself is known", async () => {
    const { verifier } = open();
    const token = await signRaw(goodHeader, good);
    const copies = [
      ...[0, 1, 2].map((part) => withUnusedBits(token, part)).filter((copy) => copy !== undefined),
      `${token}\n`,
      ` ${token}`,
      `${token}=`,
      `${token}==`,
      `${token}.`,
      `.${token}`,
      token.replace(".", ".."),
      token.replaceAll("-", "+").replaceAll("_", "/") === token
        ? `${token}+`
        : token.replaceAll("-", "+").replaceAll("_", "/"),
    ];
    expect(copies.length).toBeGreaterThanOrEqual(9);
    for (const known of [false, true]) {
      if (known) await verifier.verify(token);
      for (const copy of copies) expect(await refusalOf(copy, verifier)).toBe("malformed_token");
    }
  });

  test.each(["", ".", "..", "a.b", "a.b.c.d", "a.b.c", "Bearer a.b.c", "a..c", "💎.b.c"])(
    "%p is refused",
    async (token) => {
      expect(await refusalOf(token)).toBe("malformed_token");
    },
  );

  test("a token over 8 KiB is refused before it is decoded", async () => {
    expect(await refusalOf(await signRaw(goodHeader, { ...good, pad: "x".repeat(8_192) }))).toBe("malformed_token");
  });

  test.each(["not json", "[]", '"text"', "null", "1"])("payload %p is refused", async (payload) => {
    expect(await refusalOf(await signRaw(goodHeader, payload))).toBe("malformed_token");
  });
});

/** The same bytes in another text: the last character of a part carries bits that decode to nothing. */
function withUnusedBits(token: string, index: number): string | undefined {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const parts = token.split(".");
  const part = parts[index] ?? "";
  const value = alphabet.indexOf(part.at(-1) ?? "");
  const copy = `${part.slice(0, -1)}${alphabet[value + 1] ?? ""}`;
  if (part.length % 4 === 0 || !Buffer.from(copy, "base64url").equals(Buffer.from(part, "base64url"))) return undefined;
  return parts.with(index, copy).join(".");
}

describe("the claims are those of our access tokens", () => {
  test.each(["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"])(
    "without %s it is refused",
    async (claim) => {
      const { [claim]: _, ...rest } = good as Readonly<Record<string, unknown>>;
      expect(await refusalOf(await signRaw(goodHeader, rest))).toBe("missing_claim");
    },
  );

  const payload = JSON.stringify(good);
  const cases: readonly (readonly [string, string, TokenRefusal])[] = [
    ["exp as 1e400", payload.replace(`"exp":${good.exp}`, '"exp":1e400'), "missing_claim"],
    ["exp as text", payload.replace(`"exp":${good.exp}`, `"exp":"${good.exp}"`), "missing_claim"],
    ["exp as null", payload.replace(`"exp":${good.exp}`, '"exp":null'), "missing_claim"],
    ["exp as a fraction", payload.replace(`"exp":${good.exp}`, `"exp":${good.exp}.5`), "missing_claim"],
    ["iat as text", payload.replace(`"iat":${good.iat}`, `"iat":"${good.iat}"`), "missing_claim"],
    ["a past exp", JSON.stringify({ ...good, exp: iat - 6 }), "expired"],
    ["exp of this second and tolerance", JSON.stringify({ ...good, exp: iat - 5 }), "expired"],
    ["a future iat", JSON.stringify({ ...good, iat: iat + 6 }), "not_yet_valid"],
    ["a future nbf", JSON.stringify({ ...good, nbf: iat + 6 }), "not_yet_valid"],
    ["nbf as text", JSON.stringify({ ...good, nbf: "tomorrow" }), "missing_claim"],
    ["a life over an hour", JSON.stringify({ ...good, exp: iat + 3_601 }), "expired"],
    ["a negative iat", JSON.stringify({ ...good, iat: -1 }), "expired"],
    ["another issuer", JSON.stringify({ ...good, iss: "http://localhost:8080/" }), "wrong_issuer"],
    ["a list of issuers", JSON.stringify({ ...good, iss: [issuer] }), "wrong_issuer"],
    ["another audience", JSON.stringify({ ...good, aud: "Vitrine" }), "wrong_audience"],
    ["an empty audience", JSON.stringify({ ...good, aud: [] }), "wrong_audience"],
    ["an empty subject", JSON.stringify({ ...good, sub: "" }), "missing_claim"],
    ["scope as a list", JSON.stringify({ ...good, scope: ["orders:read"] }), "missing_claim"],
    ["a role we do not know", JSON.stringify({ ...good, role: "owner" }), "missing_claim"],
  ];
  test.each(cases)("%s is refused", async (_, claims, reason) => {
    expect(await refusalOf(await signRaw(goodHeader, claims))).toBe(reason);
  });

  test.each([undefined, "JWT", "jwt", "id+jwt", "at+jwt2", "logout+jwt", "", 1])("typ %p is refused", async (typ) => {
    expect(await refusalOf(await signRaw({ ...goodHeader, typ }, good))).toBe("wrong_type");
  });

  test("a list of audiences that holds ours, a clock five seconds off and typ in its long form pass", async () => {
    const { verifier } = open();
    await verifier.verify(await signRaw(goodHeader, { ...good, aud: ["other", audience] }));
    await verifier.verify(await signRaw(goodHeader, { ...good, iat: iat + 5 }));
    await verifier.verify(await signRaw(goodHeader, { ...good, exp: iat - 4, iat: iat - 904 }));
    await verifier.verify(await signRaw({ ...goodHeader, typ: "application/at+jwt" }, good));
  });
});

describe("a known token", () => {
  test("stops working once its expiry and the tolerance have passed", async () => {
    const { verifier, passSeconds } = open();
    const token = await signRaw(goodHeader, good);
    await verifier.verify(token);
    passSeconds(904);
    await verifier.verify(token);
    passSeconds(1);
    expect(await refusalOf(token, verifier)).toBe("expired");
    expect(await refusalOf(token, verifier)).toBe("expired");
  });

  test("its claims cannot be changed by whoever reads them", async () => {
    const { verifier } = open();
    const claims = await verifier.verify(await signRaw(goodHeader, good));
    expect(Object.isFrozen(claims)).toBe(true);
  });

  test("the refusal does not repeat the token or what failed", async () => {
    const { verifier } = open();
    const token = await signRaw(goodHeader, { ...good, iss: "http://evil.test" });
    const error = await verifier.verify(token).catch((thrown: unknown) => thrown);
    const told = error instanceof ServiceError ? JSON.stringify([error.message, error.detail, error.headers]) : "";
    expect(told).toContain("the token is not valid");
    expect(told).not.toContain("issuer");
    expect(told).not.toContain(token.slice(0, 20));
  });
});
