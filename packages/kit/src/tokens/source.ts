import { type TokenResponse, tokenResponse } from "@vitrine/contracts/auth";
import { ServiceError } from "../errors.ts";

export interface TokenSourceOptions {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes to ask for; all the client has when left out. */
  readonly scopes?: readonly string[];
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

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

/** Gets tokens by the client credentials grant (RFC 6749 §4.4) and renews them before they expire. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const now = options.now ?? Date.now;
  let held: { readonly token: string; readonly expiresAt: number; renewAt: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const answer = await request(options);
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

async function request(options: TokenSourceOptions): Promise<TokenResponse> {
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (options.scopes !== undefined) form.set("scope", options.scopes.join(" "));
  const credentials = `${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret)}`;
  try {
    const response = await (options.fetch ?? fetch)(options.tokenUrl, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
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
