import { type BlockList, isIP } from "node:net";
import type { AppBindings } from "@vitrine/kit/http";
import { maskAddress } from "@vitrine/kit/http/observe";
import type { HonoRequest } from "hono";

/** Who sends a request, as far as it can be known before anyone is authenticated. */
export interface Caller {
  readonly requestId: string | undefined;
  /** The whole address: for throttling only, never stored or logged; see {@link maskedAddress}. */
  readonly address: string;
  readonly maskedAddress: string | undefined;
  /** At most 200 characters, without control characters: it is the client's own text. */
  readonly userAgent: string | undefined;
}

/** The part of Hono's context that says who calls; contexts of any variables have it. */
export interface CallerContext {
  readonly req: Pick<HonoRequest, "raw" | "header">;
  readonly env?: AppBindings;
  readonly var: { readonly requestId?: string };
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
 * Reads the caller of a request. `X-Client-Address` counts only when the connection comes from one of `gateways`, which
 * set it themselves and hand on no header of that name (RFC 9700 §4.13); anyone else's is a claim.
 */
export function callerOf(c: CallerContext, gateways: BlockList): Caller {
  const peer = unmapped(c.env?.server?.requestIP(c.req.raw)?.address ?? "");
  const forwarded = isAmong(gateways, peer) ? unmapped(c.req.header("x-client-address") ?? "") : "";
  const address = [forwarded, peer].find((text) => isIP(text) !== 0);
  return {
    requestId: c.var.requestId,
    address: address ?? unknownAddress,
    maskedAddress: address === undefined ? undefined : maskAddress(address),
    userAgent:
      c.req
        .header("user-agent")
        ?.replaceAll(/[^\x20-\x7e]/g, "")
        .slice(0, maxUserAgent) || undefined,
  };
}

function isAmong(addresses: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && addresses.check(address, version === 6 ? "ipv6" : "ipv4");
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
