import { BlockList, isIP } from "node:net";

export interface ClientAddressOptions {
  /** Networks such as `10.0.0.0/8` whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
}

export interface Peer {
  /** Address of the connection itself; absent when there is none, as in tests without a socket. */
  readonly address: string | undefined;
  readonly forwardedFor: string | undefined;
}

export type ClientAddress = (peer: Peer) => string | undefined;

const maxHops = 16;

/**
 * Whose request it is: the address of the connection, and only behind a trusted proxy the last address of
 * `X-Forwarded-For` that is not itself a trusted proxy. What a client writes in front of that is never believed
 * (RFC 7239 §8.1). An entry that is no address ends the search at the proxy that wrote it.
 */
export function createClientAddress({ trustedProxies }: ClientAddressOptions): ClientAddress {
  const trusted = toBlockList(trustedProxies);
  return ({ address, forwardedFor }) => {
    if (address === undefined) return undefined;
    let client = plain(address);
    if (forwardedFor === undefined || !isIn(trusted, client)) return client;
    for (const entry of forwardedFor.split(",").slice(-maxHops).toReversed()) {
      const hop = plain(entry.trim());
      if (isIP(hop) === 0) return client;
      client = hop;
      if (!isIn(trusted, client)) return client;
    }
    return client;
  };
}

/** Limits by address take the /64 of IPv6 together: whoever has one address there has them all. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return "unknown";
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail === undefined) return `${groups.slice(0, 4).join(":")}::/64`;
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(8 - groups.length - after.length, 0)).fill("0");
  return `${[...groups, ...zeros, ...after].slice(0, 4).join(":")}::/64`;
}

/** @returns what is wrong with a network, or `undefined` */
export function networkFault(network: string): string | undefined {
  const [address = "", bits] = network.split("/");
  const family = isIP(address);
  if (family === 0) return `${network} is no address or network`;
  const max = family === 4 ? 32 : 128;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= max)) return `${network} has no valid prefix`;
  return undefined;
}

function toBlockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 4 ? "ipv4" : "ipv6";
    list.addSubnet(address, Number(bits ?? (family === "ipv4" ? 32 : 128)), family);
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** IPv4 that came over an IPv6 socket, and IPv6 without zone. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}
