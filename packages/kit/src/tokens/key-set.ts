import { type CryptoKey, importJWK } from "jose";
import { z } from "zod";
import { ServiceError } from "../errors.ts";
import { refused } from "./refusal.ts";

export interface KeySetOptions {
  readonly jwksUrl: string;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface KeySet {
  /**
   * @throws ServiceError `invalid_token` for a key id that the issuer does not know; `unavailable` when the keys cannot
   * be had, or when the ones we have may be out of date and do not hold this id
   */
  find(kid: string | undefined): Promise<CryptoKey>;
  /** Whether an id stands for this very key, by a set young enough not to be asked for anew. */
  holds(kid: string | undefined, key: CryptoKey): boolean;
  load(): Promise<void>;
  /** Milliseconds since the keys were last fetched; infinite before. */
  ageMs(): number;
}

/** Keys are asked for anew after this long; a failure keeps the old ones in use (stale-if-error). */
const freshMs = 300_000;
/** Between two requests for the key set, whatever tokens ask for: unknown key ids cannot start a stampede. */
const coolDownMs = 2_000;
const timeoutMs = 5_000;
const maxKeys = 32;
/** Ten times what so many keys take: whoever answers may not say when it ends. */
const maxBytes = 131_072;

const kidForm = /^[A-Za-z0-9_-]{1,64}$/;

/** RFC 8037: an Ed25519 public key for signatures (RFC 7517 §4.2). Anything else in the set is ignored. */
const publicKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  use: z.literal("sig").default("sig"),
  kid: z.string().regex(kidForm),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

const keySetDocument = z.object({ keys: z.array(z.unknown()).max(maxKeys) });

/** The auth service's public keys, fetched when needed by one request at a time and kept while it is away. */
export function createKeySet(options: KeySetOptions): KeySet {
  const now = options.now ?? Date.now;
  let keys: ReadonlyMap<string, CryptoKey> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let loading: Promise<void> | undefined;

  async function fetchKeys(): Promise<void> {
    askedAt = now();
    try {
      keys = await request(options);
      loadedAt = now();
      failure = undefined;
    } catch (error) {
      failure = error;
      throw error;
    }
  }

  function load(): Promise<void> {
    loading ??= fetchKeys().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  /** Resolves when the keys are as fresh as the cool-down allows. */
  async function refresh(): Promise<void> {
    if (loading !== undefined || now() - askedAt >= coolDownMs) return await load();
    // A 401 here would make a client throw away what a key of this minute may have signed.
    if (failure !== undefined) throw failure;
  }

  return {
    find: async (kid) => {
      if (kid === undefined || !kidForm.test(kid)) throw refused("unknown_key");
      const known = keys?.get(kid);
      if (known !== undefined) {
        // Renewed behind the request's back: a slow auth service must not slow a token that can be judged.
        if (now() - loadedAt > freshMs && now() - askedAt > coolDownMs) load().catch(() => undefined);
        return known;
      }
      await refresh();
      const key = keys?.get(kid);
      if (key === undefined) throw refused("unknown_key");
      return key;
    },
    holds: (kid, key) => kid !== undefined && keys?.get(kid) === key && now() - loadedAt <= freshMs,
    ageMs: () => now() - loadedAt,
    load: async () => {
      if (keys === undefined) await load();
    },
  };
}

async function request(options: KeySetOptions): Promise<ReadonlyMap<string, CryptoKey>> {
  try {
    const response = await (options.fetch ?? fetch)(options.jwksUrl, {
      headers: { accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`the key set answered ${response.status}`);
    const document = keySetDocument.parse(JSON.parse(await readText(response)));
    const found = new Map<string, CryptoKey>();
    for (const candidate of document.keys) {
      const jwk = publicKey.safeParse(candidate);
      if (!jwk.success) continue;
      const key = await importJWK(jwk.data, "EdDSA");
      if (!(key instanceof Uint8Array)) found.set(jwk.data.kid, key);
    }
    if (found.size === 0) throw new Error("the key set has no usable key");
    return found;
  } catch (cause) {
    throw cannotVerify("the key set cannot be fetched", cause);
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`the key set is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function cannotVerify(reason: string, cause?: unknown): ServiceError {
  return new ServiceError("unavailable", undefined, {
    reason,
    retryAfterSeconds: 2,
    cause,
  });
}
