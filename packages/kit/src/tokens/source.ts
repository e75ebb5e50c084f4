import { tokenResponse } from "@vitrine/contracts/auth";
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
   * A token that is renewed once four fifths of its life have passed; while renewing fails, the old one is given out
   * until it expires. One request serves all that ask at once.
   * @throws ServiceError `unavailable` when the token endpoint cannot be reached or refuses the client
   */
  get(): Promise<string>;
  /** Makes the next {@link get} ask anew, after a server refused the token. */
  forget(): void;
}

const timeoutMs = 5_000;

/** Gets tokens by the client credentials grant (RFC 6749 §4.4) and renews them before they expire. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const now = options.now ?? Date.now;
  let held:
    | {
        readonly token: string;
        readonly renewAt: number;
        readonly expiresAt: number;
      }
    | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    try {
      const answer = await request(options);
      const lifeMs = answer.expires_in * 1_000;
      held = {
        token: answer.access_token,
        renewAt: now() + lifeMs * 0.8,
        expiresAt: now() + lifeMs,
      };
      return answer.access_token;
    } catch (error) {
      if (held !== undefined && now() < held.expiresAt) return held.token;
      throw error;
    }
  }

  return {
    get: async () => {
      if (held !== undefined && now() < held.renewAt) return held.token;
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    forget: () => {
      held = undefined;
    },
  };
}

async function request(options: TokenSourceOptions) {
  const form = new URLSearchParams({ grant_type: "client_credentials" });
  if (options.scopes !== undefined) form.set("scope", options.scopes.join(" "));
  const response = await post(options, form);
  if (!response.ok) {
    throw new ServiceError("unavailable", undefined, {
      reason: `token endpoint answered ${response.status}`,
      retryAfterSeconds: 2,
    });
  }
  return tokenResponse.parse(await response.json());
}

async function post(options: TokenSourceOptions, form: URLSearchParams): Promise<Response> {
  const credentials = `${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret)}`;
  try {
    return await (options.fetch ?? fetch)(options.tokenUrl, {
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
  } catch (cause) {
    throw new ServiceError("unavailable", undefined, {
      reason: "token endpoint unreachable",
      retryAfterSeconds: 2,
      cause,
    });
  }
}
