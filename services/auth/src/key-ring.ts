import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import type { Database } from "@vitrine/kit/postgres";
import type { AuthEvents } from "./events.ts";
import { locked } from "./locked.ts";
import { seal, SealError, unseal } from "@vitrine/kit/seal";
import { createSigningKeyStore, type PublicJwk, type StoredSigningKey } from "./store/signing-keys.ts";

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
}

export interface KeyRing {
  /** Makes the first key if there is none, and reads them. @throws Error when the key cannot be decrypted */
  load(): Promise<void>;
  /** The key that signs now. */
  signingKey(): Promise<SigningKey>;
  /** Reads the keys anew, after one of them was changed. @throws ServiceError `unavailable` */
  reload(): Promise<void>;
  /** Every key a token that is still valid may have been signed with, and those that will sign soon. */
  publicKeys(): Promise<readonly PublicJwk[]>;
}

export interface KeyRingOptions {
  readonly database: Database;
  /** 32 bytes; private keys are stored encrypted with it. */
  readonly encryptionKey: Uint8Array;
  readonly events: AuthEvents;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** How soon a process sees what another one did to the keys. */
const refreshMs = 5_000;
/** Between attempts to read the keys while the database is away. */
const retryMs = 1_000;

export function createKeyRing(options: KeyRingOptions): KeyRing {
  const { database, encryptionKey, now } = options;
  const store = createSigningKeyStore(database);
  const opened = new Map<string, CryptoKey>();
  let keys: readonly StoredSigningKey[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  let refreshing: Promise<void> | undefined;

  async function read(): Promise<void> {
    // A failed attempt is repeated soon: meanwhile another process may have retired what signs here.
    askedAt = now() - refreshMs + retryMs;
    keys = await store.all();
    askedAt = now();
  }

  async function current(): Promise<readonly StoredSigningKey[]> {
    if (keys.length === 0) await read();
    else if (now() - askedAt > refreshMs) {
      // While the database is away the keys known so far go on: verifiers need them then, too.
      refreshing ??= read()
        .catch(() => undefined)
        .finally(() => {
          refreshing = undefined;
        });
      await refreshing;
    }
    return keys;
  }

  async function signingKey(): Promise<SigningKey> {
    const stored = pickSigningKey(await current(), now());
    if (stored === undefined) throw new Error("no signing key is valid at this time");
    const privateKey = opened.get(stored.kid) ?? (await open(stored, encryptionKey));
    opened.set(stored.kid, privateKey);
    return { kid: stored.kid, privateKey };
  }

  return {
    load: async () => {
      await addFirstKey(options);
      await read();
      await signingKey();
    },
    signingKey,
    reload: read,
    publicKeys: async () => {
      const at = now();
      return (await current()).filter((key) => isPublished(key, at)).map((key) => key.publicJwk);
    },
  };
}

/** The newest key whose time has come; `keys` are in any order. */
export function pickSigningKey(keys: readonly StoredSigningKey[], atMs: number): StoredSigningKey | undefined {
  return keys
    .filter((key) => isPublished(key, atMs) && key.notBeforeMs <= atMs)
    .reduce<StoredSigningKey | undefined>(
      (newest, key) => (newest === undefined || key.notBeforeMs > newest.notBeforeMs ? key : newest),
      undefined,
    );
}

export function isPublished(key: StoredSigningKey, atMs: number): boolean {
  return key.retiredAtMs === undefined || atMs < key.retiredAtMs;
}

async function addFirstKey({ database, encryptionKey, events, now }: KeyRingOptions): Promise<void> {
  const kid = await locked(database, "signing key", async (tx) => {
    const store = createSigningKeyStore(tx);
    if (pickSigningKey(await store.all(), now()) !== undefined) return undefined;
    const key = await makeSigningKey(encryptionKey, now());
    await store.add(key);
    return key.kid;
  });
  if (kid !== undefined) events.keyCreated(kid);
}

/** A fresh Ed25519 key (RFC 8037), named by its thumbprint (RFC 7638), its private half sealed. */
export async function makeSigningKey(encryptionKey: Uint8Array, notBeforeMs: number): Promise<StoredSigningKey> {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const { x = "" } = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x });
  return {
    kid,
    publicJwk: { kty: "OKP", crv: "Ed25519", x, kid, use: "sig", alg: "EdDSA" },
    sealedPrivateJwk: seal(encryptionKey, JSON.stringify(await exportJWK(privateKey)), kid),
    notBeforeMs,
    retiredAtMs: undefined,
  };
}

async function open(stored: StoredSigningKey, encryptionKey: Uint8Array): Promise<CryptoKey> {
  try {
    const jwk = JSON.parse(unseal(encryptionKey, stored.sealedPrivateJwk, stored.kid)) as JWK;
    const key = await importJWK(jwk, "EdDSA", { extractable: false });
    if (key instanceof Uint8Array) throw new Error(`signing key ${stored.kid} is not an Ed25519 key`);
    return key;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new Error(
      `KEY_ENCRYPTION_KEY does not open signing key ${stored.kid}: start with the value it was made under`,
      { cause: error },
    );
  }
}
