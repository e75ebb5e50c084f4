import { tokenResponse } from "@vitrine/contracts/auth";
import type { Gateway } from "./gateway.ts";
import type { Identity } from "./population.ts";

/** The account of one customer: registered once, signed in as rarely as its tokens allow. */
export interface Session {
  /** `undefined` while the customer is not signed in and may not try yet. */
  token(): Promise<string | undefined>;
  /** Signs in anew next time, after a refused token. */
  forget(): void;
  /** A token that is good now, and one that was once, for whoever steals tokens. */
  stolen(): { readonly good?: string; readonly expired?: string };
}

export interface SessionOptions {
  readonly identity: Identity;
  readonly gateway: Gateway;
  /** Whether this is the first time anybody comes to this shop: then there is no account to sign in to yet. */
  readonly isNewWorld: () => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds by which the customer's own clock goes ahead of that. */
  readonly skewMs: () => number;
  readonly door: Door;
}

/** Sends away, with `undefined`, who comes while too many are inside: they come again with their next wish. */
export type Door = <T>(enter: () => Promise<T>) => Promise<T | undefined>;

export function createDoor(places: number): Door {
  let inside = 0;
  return async (enter) => {
    if (inside >= places) return undefined;
    inside += 1;
    try {
      return await enter();
    } finally {
      inside -= 1;
    }
  };
}

/** A refused sign-in costs the auth service a password hash: it is not tried again at once. */
const signInPauseMs = 15_000;
/** Renewed so long before a token ends. */
const marginMs = 30_000;

export function createSession({ identity, gateway, isNewWorld, now, skewMs, door }: SessionOptions): Session {
  let held: { readonly token: string; readonly expiresAt: number } | undefined;
  let old: string | undefined;
  let signingIn: Promise<string | undefined> | undefined;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let registered = false;

  async function register(): Promise<boolean> {
    const answer = await gateway.send({
      action: "register",
      method: "POST",
      path: "/api/auth/register",
      body: identity,
    });
    registered = answer?.status === 201;
    return registered;
  }

  const login = () => gateway.send({ action: "sign_in", method: "POST", path: "/api/auth/login", body: identity });

  async function signIn(): Promise<string | undefined> {
    pausedUntil = now() + signInPauseMs;
    if (isNewWorld() && !registered) await register();
    let answer = await login();
    // Somebody else made this world, and not for this customer.
    if (answer?.status === 401 && !registered && (await register())) answer = await login();
    const parsed = tokenResponse.safeParse(answer?.body);
    if (answer?.status !== 200 || !parsed.success) return undefined;
    const token = parsed.data.access_token;
    old = held?.token ?? old;
    held = { token, expiresAt: expiryOf(token) };
    pausedUntil = Number.NEGATIVE_INFINITY;
    return token;
  }

  return {
    token: async () => {
      if (held !== undefined && now() + skewMs() < held.expiresAt - marginMs) return held.token;
      if (signingIn === undefined && now() < pausedUntil) return undefined;
      signingIn ??= door(signIn).finally(() => {
        signingIn = undefined;
      });
      return await signingIn;
    },
    forget: () => {
      old = held?.token ?? old;
      held = undefined;
    },
    stolen: () => ({
      ...(held === undefined ? {} : { good: held.token }),
      ...(old === undefined || expiryOf(old) > now() ? {} : { expired: old }),
    }),
  };
}

/** Milliseconds since the epoch, as the token itself says (RFC 7519 §4.1.4); 0 for one that says nothing. */
function expiryOf(token: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" ? exp * 1_000 : 0;
  } catch {
    return 0;
  }
}
