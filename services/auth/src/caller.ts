import { isIP } from "node:net";
import type { AppEnv } from "@vitrine/kit/http";
import { maskAddress } from "@vitrine/kit/http/observe";
import type { Context } from "hono";

/** Who sends a request, as far as it can be known before anyone is authenticated. */
export interface Caller {
  readonly requestId: string | undefined;
  /** The whole address: for throttling only, never stored or logged; see {@link maskedAddress}. */
  readonly address: string;
  readonly maskedAddress: string | undefined;
  /** At most 200 characters, without control characters: it is the client's own text. */
  readonly userAgent: string | undefined;
}

/** What the service does on its own. */
export const ourselves: Caller = {
  requestId: undefined,
  address: "local",
  maskedAddress: undefined,
  userAgent: undefined,
};

const maxUserAgent = 200;
const unknownAddress = "unknown";

/**
 * Reads the caller of a request. `X-Forwarded-For` counts only when the connection comes from one of `proxies`, and
 * then its last address, which that proxy wrote itself: every address before it is the client's own claim.
 */
export function callerOf(c: Context<AppEnv>, proxies: readonly string[]): Caller {
  const peer = unmapped(c.env?.server?.requestIP(c.req.raw)?.address ?? "");
  const forwarded = proxies.includes(peer) ? unmapped(c.req.header("x-forwarded-for")?.split(",").at(-1) ?? "") : "";
  const address = [forwarded, peer].find((text) => isIP(text) !== 0);
  return {
    requestId: c.get("requestId"),
    address: address ?? unknownAddress,
    maskedAddress: address === undefined ? undefined : maskAddress(address),
    userAgent:
      c.req
        .header("user-agent")
        ?.replaceAll(/[^\x20-\x7e]/g, "")
        .slice(0, maxUserAgent) || undefined,
  };
}

function unmapped(text: string): string {
  const address = text.trim().toLowerCase();
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

/** What one subscriber of the internet commonly has to himself: an IPv4 address, or a /64 of IPv6 (RFC 6177 §2). */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail = ""] = address.split("::");
  const before = head.split(":").filter((group) => group !== "");
  const after = tail.split(":").filter((group) => group !== "");
  const zeros = address.includes("::") ? Array<string>(Math.max(8 - before.length - after.length, 0)).fill("0") : [];
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
