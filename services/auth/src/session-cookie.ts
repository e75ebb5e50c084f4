import type { AppEnv } from "@vitrine/kit/http";
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";

/**
 * `__Host-`: only this host set it, over a secure connection, for every path (RFC 6265bis §4.1.3.2; ASVS 3.3.1). Browsers
 * count http://localhost as secure.
 */
const name = "vitrine_session";
const attributes = { path: "/", secure: true, httpOnly: true, sameSite: "Lax", prefix: "host" } as const;

export function readSessionCookie<E extends AppEnv>(c: Context<E>): string | undefined {
  return getCookie(c, name, "host") || undefined;
}

/** The cookie ends with the session's absolute limit; the server ends it earlier when it is idle. */
export function writeSessionCookie(c: Context<AppEnv>, handle: string, seconds: number): void {
  setCookie(c, name, handle, { ...attributes, maxAge: seconds });
}

export function clearSessionCookie(c: Context<AppEnv>): void {
  deleteCookie(c, name, attributes);
}
