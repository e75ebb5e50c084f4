import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { startOldPostgres } from "@vitrine/kit/testing/migrations";
import { decodeProtectedHeader } from "jose";
import { basic, newSecret, readToken, startAuth } from "./testing/start-auth.ts";

/** What an earlier release wrote: a key of 2026 under this encryption key, and the hash of this password. */
const old = {
  encryptionKey: "fEaI9xWFRz2QOL5w09QgVPd6ZGdT7wwz67H20LXpWx4",
  kid: "ChZVEcgEYpg-nmPtYb9UFBcBWUkIPVLFe9q4oDzHHBw",
  x: "xRR0nIWCBbggIxkyBASJNkB3WeMGO5FPOP6-QReiZfY",
  sealed:
    "ATeH3xaXLDw_pgi3Oe2VbGgguHGU3-LlOvDSp50uRDlgJJLKt5IZ-6zgToAhhIWJf1CNoX7ZIGrlPwNNNMiwz4uG5xf-Mr8HQz7WfQAlKc7AIt24yh5qUASrcCj1SPh79jfrxOaKaSHHM25ACX1ej0HTXBR68UkxkpZ5R-gEYUSRROe6V7EVzvTp1H34dyGo8pFSqwgFNrShW-QmUoA",
  password: "an orchid in the window",
  hash: "$argon2id$v=19$m=19456,t=2,p=1$OnO7fRP5BM2D5DX3FRqyTewh3ybVIUatH/EmChmyjv4$x4okKTeRygrIgeb94LAT8qHZRuJyZBI8ihOCGG10RtQ",
};

test("people, clients and the signing key of the first release go on: signed in, given tokens, signed by the same key", async () => {
  const secret = newSecret();
  const postgres = await startOldPostgres(
    "auth",
    join(import.meta.dir, "../migrations"),
    "0001-identity.sql",
    async (database) => {
      const publicJwk = { kty: "OKP", crv: "Ed25519", x: old.x, kid: old.kid, use: "sig", alg: "EdDSA" };
      await database.query(
        "insert into signing_keys (kid, public_jwk, sealed_private_jwk, not_before) values ($1, $2, $3, '2026-01-01')",
        [old.kid, JSON.stringify(publicJwk), Buffer.from(old.sealed, "base64url")],
      );
      await database.query("insert into users (id, name, role, password_hash) values ($1, 'Anna', 'admin', $2)", [
        Bun.randomUUIDv7(),
        old.hash,
      ]);
      await database.query(
        "insert into clients (client_id, secret_hash, service, scopes, may_impersonate, preset) values ('partner', $1, null, '{telemetry:write}', false, false)",
        [createHash("sha256").update(secret).digest()],
      );
    },
  );
  // As long as nobody rotates: whether the key is due depends on the day this runs.
  const env = { KEY_ENCRYPTION_KEY: old.encryptionKey, SIGNING_KEY_DAYS: "0" };
  await using auth = await startAuth({ postgres, env });

  const signedIn = await readToken(
    await auth.send("POST", "/api/auth/login", { body: { name: "anna", password: old.password } }),
  );
  expect(decodeProtectedHeader(signedIn.access_token).kid).toBe(old.kid);
  expect(await (await auth.me(signedIn.access_token)).json()).toMatchObject({ name: "Anna", role: "admin" });
  const token = await readToken(await auth.token({ grant_type: "client_credentials" }, basic("partner", secret)));
  expect(token.scope).toBe("telemetry:write");
  const published = await (await auth.app.request("/.well-known/jwks.json")).json();
  expect(published).toMatchObject({ keys: [{ kid: old.kid }] });
});
