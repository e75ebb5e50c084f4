import { clientAssertionType, type TokenResponse, tokenResponse } from "@vitrine/contracts/auth";
import { importJWK, type JWK, SignJWT } from "jose";
import { ServiceError } from "../errors.ts";

/** A key of the client's own, in place of a secret that two would have to keep. */
export interface ClientKey {
  /** Private key with its `alg`: EdDSA, ES256, PS256 or RS256; and its `kid` where the client has more than one. */
  readonly jwk: JWK;
  /** Whom a proof is for: the issuer of the tokens. */
  readonly audience: string;
}

/** How the client proves itself: `client_secret_basic` (RFC 6749 §2.3.1) or `private_key_jwt` (RFC 7523 §2.2). */
export type ClientProof =
  | { readonly clientSecret: string; readonly clientKey?: undefined }
  | { readonly clientKey: ClientKey; readonly clientSecret?: undefined };

export type TokenSourceOptions = ClientProof & {
  readonly tokenUrl: string;
  readonly clientId: string;
  /** Scopes to ask for; all the client has when left out. */
  readonly scopes?: readonly string[];
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
};

export interface TokenSource {
  /**
   * A token that is renewed once four fifths of its life have passed; the old one is given out meanwhile, and while
   * renewing fails, until it expires. One request serves all that ask at once.
   * @throws ServiceError `unavailable` when the token endpoint cannot be reached or refuses the client
   */
  get(): Promise<string>;
  /** Makes the next {@link get} ask anew, after a server refused the token. */
  forget(): void;
}

const timeoutMs = 5_000;
/** Between two requests while one token is still good. */
const renewalPauseMs = 2_000;
/** Seconds; a proof is for one request. */
const proofLifetime = 60;

/** Gets tokens by the client credentials grant (RFC 6749 §4.4) and renews them before they expire. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const now = options.now ?? Date.now;
  const proveClient = clientProof(options, now);
  let held: { readonly token: string; readonly expiresAt: number; renewAt: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const answer = await request(options, await proveClient());
    const lifeMs = answer.expires_in * 1_000;
    held = { token: answer.access_token, renewAt: now() + lifeMs * 0.8, expiresAt: now() + lifeMs };
    return answer.access_token;
  }

  function askOnce(): Promise<string> {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  return {
    get: async () => {
      if (held === undefined || now() >= held.expiresAt) return await askOnce();
      if (now() >= held.renewAt) {
        held.renewAt = now() + renewalPauseMs;
        // Behind the caller's back: it has a good token, whatever the auth service is doing.
        askOnce().catch(() => undefined);
      }
      return held.token;
    },
    forget: () => {
      held = undefined;
    },
  };
}

/** What of a request shows who sends it. */
interface Proof {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

function clientProof({ clientId, clientSecret, clientKey }: TokenSourceOptions, now: () => number) {
  if (clientKey === undefined) {
    const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    const headers = { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
    return (): Promise<Proof> => Promise.resolve({ headers, form: {} });
  }
  const { jwk, audience } = clientKey;
  const key = importJWK(jwk);
  // Told by the first request: nobody waits for it here.
  key.catch(() => undefined);
  return async (): Promise<Proof> => {
    try {
      const issuedAt = Math.floor(now() / 1_000);
      const assertion = await new SignJWT()
        .setProtectedHeader({ alg: jwk.alg ?? "", ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience)
        .setJti(crypto.randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + proofLifetime)
        .sign(await key);
      return { headers: {}, form: { client_assertion_type: clientAssertionType, client_assertion: assertion } };
    } catch (error) {
      throw unavailable("the client's key cannot sign", error);
    }
  };
}

async function request(options: TokenSourceOptions, proof: Proof): Promise<TokenResponse> {
  const form = new URLSearchParams({ grant_type: "client_credentials", ...proof.form });
  if (options.scopes !== undefined) form.set("scope", options.scopes.join(" "));
  try {
    const response = await (options.fetch ?? fetch)(options.tokenUrl, {
      method: "POST",
      headers: {
        ...proof.headers,
        "content-type": "application/x-www-form-urlencoded",
        accept: "application/json",
      },
      body: form.toString(),
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw unavailable(`token endpoint answered ${response.status}`);
    return tokenResponse.parse(await response.json());
  } catch (error) {
    throw error instanceof ServiceError ? error : unavailable("token endpoint gave no usable answer", error);
  }
}

function unavailable(reason: string, cause?: unknown): ServiceError {
  return new ServiceError("unavailable", undefined, { reason, retryAfterSeconds: 2, cause });
}
