import { BlockList } from "node:net";
import { describe, expect, test } from "bun:test";
import type { AppEnv } from "@vitrine/kit/http";
import { Hono } from "hono";
import { callerOf, networkOf } from "./caller.ts";

async function addressOf(peer: string, headers: Record<string, string>) {
  const proxies = new BlockList();
  proxies.addAddress("127.0.0.1");
  proxies.addSubnet("10.1.0.0", 16);
  const app = new Hono<AppEnv>().get("/", (c) => c.json(callerOf(c, proxies)));
  const server = { requestIP: () => ({ address: peer }) };
  return (await app.request("/", { headers }, { server })).json();
}

describe("the caller's address", () => {
  test.each([
    ["a stranger's claim does not count", "198.51.100.9", "203.0.113.5", "198.51.100.9"],
    ["the gateway's word counts", "127.0.0.1", "203.0.113.5", "203.0.113.5"],
    ["the gateway in a listed network counts", "10.1.2.3", "203.0.113.5", "203.0.113.5"],
    ["a header that came twice is none", "127.0.0.1", "1.1.1.1, 203.0.113.5", "127.0.0.1"],
    ["what is no address leaves the connection's", "127.0.0.1", "<script>", "127.0.0.1"],
    ["a mapped address is the IPv4 address it maps", "::ffff:127.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"],
  ])("%s", async (_, peer, forwarded, expected) => {
    expect(await addressOf(peer, { "x-client-address": forwarded })).toMatchObject({ address: expected });
  });

  test("is masked, and the agent is capped and plain", async () => {
    const caller = await addressOf("203.0.113.77", { "user-agent": `agent\u00e9${"x".repeat(500)}` });
    expect(caller).toMatchObject({ maskedAddress: "203.0.113.0" });
    expect(caller.userAgent).toBe(`agent${"x".repeat(195)}`);
  });
});

test.each([
  ["203.0.113.77", "203.0.113.77"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8::6", "2001:db8:0:0"],
  ["2001:0db8:0001:0002::1", "2001:db8:1:2"],
  ["unknown", "unknown"],
])("the network of %s is %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
