import { tokenResponse } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import { sessionCookie } from "./session-cookie.ts";

export interface SessionTokens {
  /**
   * An access token of the session a cookie stands for. It is verified like any other, so that the end of a session is
   * known here as soon as the feed tells of it.
   * @param refused the token given before, where it was taken back before its time, as by a new role: the session may
   * well go on with another
   * @throws ServiceError `unauthenticated` when the session is over; `unavailable` when auth does not say
   */
  tokenOf(handle: string, clientAddress: string | undefined, refused?: string): Promise<string>;
}

export interface SessionTokensOptions {
  /** Without a trailing slash. */
  readonly authUrl: string;
  readonly now?: () => number;
}

interface Held {
  readonly token: Promise<string>;
  expiresAtMs: number;
}

const maxSessions = 10_000;
/** A token is not used up to its last second: the services behind would see it expire. */
const marginMs = 60_000;
/** What auth said of a handle that is no good holds this long, so that it is not asked on each request. */
const refusedMs = 5_000;
const timeoutMs = 5_000;

/** Exchanges session handles for tokens at the auth service, once per token's life and never twice at once. */
export function createSessionTokens({ authUrl, now = Date.now }: SessionTokensOptions): SessionTokens {
  const held = new Map<string, Held>();

  async function exchange(handle: string, clientAddress: string | undefined, entry: () => Held): Promise<string> {
    try {
      const response = await tracedFetch(`${authUrl}/api/auth/session/token`, {
        method: "POST",
        headers: {
          cookie: `${sessionCookie}=${handle}`,
          accept: "application/json",
          ...(clientAddress === undefined ? {} : { "x-client-address": clientAddress }),
        },
        timeoutMs,
      });
      if (response.status === 401 || response.status === 403) {
        await response.body?.cancel();
        entry().expiresAtMs = now() + refusedMs;
        throw new ServiceError("unauthenticated", "the session is over: sign in again", { reason: "session_over" });
      }
      if (!response.ok) throw new Error(`auth answered ${response.status}`);
      const answer = tokenResponse.parse(await response.json());
      entry().expiresAtMs = now() + answer.expires_in * 1_000 - marginMs;
      return answer.access_token;
    } catch (cause) {
      if (cause instanceof ServiceError && cause.code === "unauthenticated") throw cause;
      entry().expiresAtMs = now();
      throw new ServiceError("unavailable", undefined, { reason: "cannot_verify", retryAfterSeconds: 2, cause });
    }
  }

  return {
    tokenOf: async function tokenOf(handle, clientAddress, refused): Promise<string> {
      const known = held.get(handle);
      if (known !== undefined && now() < known.expiresAtMs) {
        const token = await known.token;
        if (token !== refused) return token;
        // Of many that were refused the same one, the first asks for all.
        if (held.get(handle) !== known) return await tokenOf(handle, clientAddress, refused);
      }
      held.delete(handle);
      if (held.size >= maxSessions) held.delete(held.keys().next().value ?? "");
      const entry: Held = {
        expiresAtMs: now() + timeoutMs,
        token: exchange(handle, clientAddress, () => entry),
      };
      held.set(handle, entry);
      return await entry.token;
    },
  };
}
