import { describe, expect, test } from "bun:test";
import { networks } from "@vitrine/kit/config";
import { startSink } from "../testing/sink.ts";
import { type Address, AddressRefused, isPublic, pinAddress } from "./address.ts";
import { parseRetryAfter, post, type SendContext } from "./http.ts";

const none = networks("").parse("");

const closed = [
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:a9fe:a9fe",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:7f00:1::1",
  "3fff::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fec0::1",
  "ff02::1",
];

const open = [
  "1.1.1.1",
  "8.8.8.8",
  "172.15.255.255",
  "172.32.0.1",
  "192.169.0.1",
  "2606:4700:4700::1111",
  "2a00:1450::1",
];

function toAddress(address: string): Address {
  return { address, family: address.includes(":") ? 6 : 4 };
}

describe("an address", () => {
  test.each(closed)("%s is refused, as it stands and as what a name leads to", async (address) => {
    expect(isPublic(toAddress(address))).toBe(false);
    const resolve = () => Promise.resolve([toAddress("8.8.8.8"), toAddress(address)]);
    await expect(pinAddress("sink.test", { allowed: none, resolve }, 0)).rejects.toThrow(AddressRefused);
    const literal = address.includes(":") ? `[${address}]` : address;
    await expect(pinAddress(literal, { allowed: none }, 0)).rejects.toThrow(AddressRefused);
  });

  test.each(open)("%s is public", async (address) => {
    expect(await pinAddress(address, { allowed: none }, 0)).toEqual({ ...toAddress(address), isAllowed: false });
  });

  test.each([
    "http://0x7f.1/",
    "http://2130706433/",
    "http://127.1/",
    "http://0177.0.0.1/",
    "http://[::ffff:7f00:1]/",
    "http://①②⑦.⓪.⓪.①/",
    "http://localhost/",
    "http://[::1]/",
  ])("%s is loopback however it is written", async (url) => {
    expect(await post({ url, body: "{}" }, context({}))).toMatchObject({ kind: "failed", failure: "address_refused" });
  });

  test("that is not public is taken from an allowed network, and no other is", async () => {
    const allowed = networks("").parse("10.1.0.0/16, fd00::/8");
    expect(await pinAddress("10.1.2.3", { allowed }, 0)).toMatchObject({ isAllowed: true });
    expect(await pinAddress("[fd00::1]", { allowed }, 0)).toMatchObject({ isAllowed: true, family: 6 });
    await expect(pinAddress("10.2.0.1", { allowed }, 0)).rejects.toThrow(AddressRefused);
    await expect(pinAddress("[fc00::1]", { allowed }, 0)).rejects.toThrow(AddressRefused);
  });

  test("is another one at each attempt where a name has several", async () => {
    const resolve = () => Promise.resolve([toAddress("1.1.1.1"), toAddress("2606:4700::1")]);
    const chosen = await Promise.all(
      [0, 1, 2].map((attempt) => pinAddress("sink.test", { allowed: none, resolve }, attempt)),
    );
    expect(chosen.map(({ address }) => address)).toEqual(["1.1.1.1", "2606:4700::1", "1.1.1.1"]);
  });
});

const allowed = networks("").parse("127.0.0.0/8");

function context(
  changes: Partial<SendContext> & { readonly resolve?: () => Promise<readonly Address[]> },
): SendContext {
  const { resolve, ...rest } = changes;
  return {
    policy: { allowed: none, ...(resolve === undefined ? {} : { resolve }) },
    now: Date.now,
    timeoutMs: { http: 2_000, mail: 2_000 },
    attempts: 0,
    signal: new AbortController().signal,
    ...rest,
  };
}

describe("a message by HTTP", () => {
  test("goes to the address that was judged, whatever the name says afterwards (DNS rebinding)", async () => {
    const sink = startSink();
    let answers = 0;
    // Judged as an allowed address once; asked again it would lead to another.
    const resolve = () => {
      answers += 1;
      return Promise.resolve([toAddress(answers === 1 ? "127.0.0.1" : "127.0.0.2")]);
    };
    const { port } = new URL(sink.url);
    const outcome = await post(
      { url: `http://rebinding.test:${port}/hook`, body: "{}" },
      context({ policy: { allowed, resolve } }),
    );
    expect(outcome).toEqual({ kind: "delivered", status: 200 });
    expect(answers).toBe(1);
    expect(sink.received[0]?.headers.get("host")).toBe(`rebinding.test:${port}`);
    await sink.stop();
  });

  test("is not sent in clear to anybody on the internet", async () => {
    const resolve = () => Promise.resolve([toAddress("1.1.1.1")]);
    expect(await post({ url: "http://sink.test/", body: "{}" }, context({ resolve }))).toMatchObject({
      failure: "address_refused",
    });
  });

  test("follows no redirect, not even to itself", async () => {
    const sink = startSink();
    for (const status of [301, 302, 303, 307, 308]) {
      sink.answer = () => new Response("", { status, headers: { location: "/elsewhere" } });
      const outcome = await post({ url: `${sink.url}hook`, body: "{}" }, context({ policy: { allowed } }));
      expect(outcome).toMatchObject({ kind: "failed", failure: "redirect", status });
    }
    expect(sink.received.every(({ path }) => path === "/hook")).toBe(true);
    await sink.stop();
  });

  test("has a deadline over name server, connection and answer, and ends sooner when it is told to", async () => {
    const never = () => new Promise<never>(() => undefined);
    const short = { http: 50, mail: 50 };
    expect(
      await post({ url: "https://slow.test/", body: "{}" }, context({ resolve: never, timeoutMs: short })),
    ).toMatchObject({ failure: "timeout" });
    const sink = startSink();
    sink.answer = never;
    expect(await post({ url: sink.url, body: "{}" }, context({ policy: { allowed }, timeoutMs: short }))).toMatchObject(
      {
        failure: "timeout",
      },
    );
    const told = new AbortController();
    const waiting = post({ url: sink.url, body: "{}" }, context({ policy: { allowed }, signal: told.signal }));
    told.abort();
    expect(await waiting).toMatchObject({ kind: "failed" });
    await sink.stop();
  });

  test("says what went wrong in a word: nobody there, no such name, a name without an address", async () => {
    const url = "http://127.0.0.1:1/";
    expect(await post({ url, body: "{}" }, context({ policy: { allowed } }))).toMatchObject({ failure: "unreachable" });
    const unknown = () => Promise.reject(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" }));
    expect(await post({ url: "https://no.test/", body: "{}" }, context({ resolve: unknown }))).toMatchObject({
      failure: "unreachable",
    });
    const empty = () => Promise.resolve([]);
    expect(await post({ url: "https://no.test/", body: "{}" }, context({ resolve: empty }))).toMatchObject({
      failure: "address_refused",
    });
  });
});

test("Retry-After is read as seconds, fractions of them and dates, and as nothing else", () => {
  const now = Date.parse("2026-11-21T10:00:00Z");
  expect(parseRetryAfter("1.5", now)).toBe(1_500);
  expect(parseRetryAfter("0", now)).toBe(0);
  expect(parseRetryAfter("Sat, 21 Nov 2026 10:01:00 GMT", now)).toBe(60_000);
  expect(parseRetryAfter("Sat, 21 Nov 2026 09:00:00 GMT", now)).toBe(0);
  expect(parseRetryAfter("86400", now)).toBe(3_600_000);
  for (const text of ["", "soon", "-5x", "1e9s", null]) expect(parseRetryAfter(text, now)).toBeUndefined();
});
