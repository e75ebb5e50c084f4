import { describe, expect, test } from "bun:test";
import { addressKey, createClientAddress, networkFault } from "./client-address.ts";

const clientAddress = createClientAddress({ trustedProxies: ["10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"] });

describe("the address of a client", () => {
  test.each([
    ["the peer's where nothing is said", "198.51.100.1", undefined, "198.51.100.1"],
    ["the peer's whatever a stranger says", "198.51.100.1", "203.0.113.9", "198.51.100.1"],
    ["what a trusted proxy saw", "10.1.2.3", "203.0.113.9", "203.0.113.9"],
    [
      "the last that is no proxy, not what a client wrote before",
      "10.1.2.3",
      "1.1.1.1, 203.0.113.9, 192.0.2.7",
      "203.0.113.9",
    ],
    ["the proxy's where what it heard is no address", "10.1.2.3", "unknown", "10.1.2.3"],
    ["the hop before what is no address", "10.1.2.3", "1.1.1.1, _x, 10.9.9.9", "10.9.9.9"],
    ["IPv4 whatever socket it came over", "::ffff:10.1.2.3", "::ffff:203.0.113.9", "203.0.113.9"],
    ["IPv6", "2001:db8:1::5", "2001:db8:2::1", "2001:db8:2::1"],
    ["the proxy's where nothing is forwarded", "10.1.2.3", "", "10.1.2.3"],
    ["the first of all where all are proxies", "10.1.2.3", "10.0.0.1, 10.0.0.2", "10.0.0.1"],
  ])("is %s", (_, address, forwardedFor, expected) => expect(clientAddress({ address, forwardedFor })).toBe(expected));

  test("is unknown where there is no socket", () =>
    expect(clientAddress({ address: undefined, forwardedFor: "203.0.113.9" })).toBeUndefined());

  test("costs the same whatever a proxy forwards", () => {
    const forwardedFor = Array<string>(5_000).fill("10.0.0.1").join(",");
    expect(clientAddress({ address: "10.0.0.9", forwardedFor })).toBe("10.0.0.1");
  });
});

test.each([
  ["198.51.100.1", "198.51.100.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  [undefined, "unknown"],
])("limits count %s as %s", (address, key) => expect(addressKey(address)).toBe(key));

test.each([
  ["10.0.0.0/8", true],
  ["10.0.0.1", true],
  ["2001:db8::/32", true],
  ["10.0.0.0/33", false],
  ["10.0.0.0/", false],
  ["proxy.local", false],
  ["2001:db8::/129", false],
])("%s is a network: %p", (network, valid) => expect(networkFault(network) === undefined).toBe(valid));
