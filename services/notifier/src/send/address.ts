import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/** Thrown for a target that leads somewhere messages may not go. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
}

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface AddressPolicy {
  /** Networks messages may go to although they are not public. */
  readonly allowed: BlockList;
  /** Every address of a name; the system's resolver unless a test passes its own. */
  readonly resolve?: (host: string) => Promise<readonly Address[]>;
}

export interface PinnedAddress extends Address {
  /** In a network that was allowed by name: there, http and mail in clear will do. */
  readonly isAllowed: boolean;
}

/** IANA's special-purpose registry of IPv4 (RFC 6890): not globally reachable, or what relays to where it is not. */
const closedIpv4: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/**
 * Of IPv6 only global unicast is open (RFC 4291 §2.5.4), which leaves out loopback, link-local, unique local, multicast,
 * mapped IPv4 and NAT64; and of that not what is special in it: Teredo and other IETF assignments, documentation, 6to4.
 */
const globalUnicast: readonly [string, number] = ["2000::", 3];
const closedIpv6: readonly (readonly [network: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
];

const closed = new BlockList();
for (const [network, bits] of closedIpv4) closed.addSubnet(network, bits, "ipv4");
for (const [network, bits] of closedIpv6) closed.addSubnet(network, bits, "ipv6");
const unicast = new BlockList();
unicast.addSubnet(...globalUnicast, "ipv6");

/** Whether anybody on the internet could reach it. */
export function isPublic({ address, family }: Address): boolean {
  if (family === 4) return !closed.check(address, "ipv4");
  return unicast.check(address, "ipv6") && !closed.check(address, "ipv6");
}

/**
 * The address a message goes to. Every address of the name is judged and one is returned: who connects to that, and not
 * to the name, cannot be led elsewhere by a second answer of its name server (DNS rebinding).
 *
 * @param attempt picks another address at each attempt, where there are several
 * @throws AddressRefused when the name has an address that is neither public nor allowed
 */
export async function pinAddress(host: string, policy: AddressPolicy, attempt: number): Promise<PinnedAddress> {
  const literal = withoutBrackets(host);
  const version = isIP(literal);
  const addresses: readonly Address[] =
    version === 0
      ? await (policy.resolve ?? resolveName)(literal)
      : [{ address: literal, family: version === 6 ? 6 : 4 }];
  const judged = addresses.map((one) => ({
    address: one.address,
    family: one.family,
    isAllowed: policy.allowed.check(one.address, one.family === 6 ? "ipv6" : "ipv4"),
  }));
  if (judged.some((one) => !one.isAllowed && !isPublic(one)))
    throw new AddressRefused("the target has an address that is not public");
  const chosen = judged[attempt % Math.max(judged.length, 1)];
  if (chosen === undefined) throw new AddressRefused("the target has no address");
  return chosen;
}

/** Whether a host of a web address is an address itself. */
export function isLiteral(host: string): boolean {
  return isIP(withoutBrackets(host)) !== 0;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

async function resolveName(host: string): Promise<readonly Address[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}
