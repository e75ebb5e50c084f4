import { describe, expect, test } from "bun:test";
import { parseIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { createAuthApi } from "./auth-api.ts";
import { runKeys } from "./keys.ts";

const nowMs = Date.parse("2027-01-01T00:00:00Z");

const stored = {
  id: "0123456789abcdef",
  name: "shop",
  clientId: "key:shop",
  scopes: ["logs:write"],
  service: "shop",
  status: "active",
  preset: false,
  createdBy: "admin",
  createdAt: "2026-12-01T00:00:00.000Z",
  expiresAt: "2026-12-31T00:00:00.000Z",
};

interface Sent {
  readonly request: string;
  readonly body: unknown;
}

async function run(args: readonly string[], ...answers: readonly Response[]) {
  const left = [...answers];
  const sent: Sent[] = [];
  const output: string[] = [];
  const api = createAuthApi({
    gatewayUrl: "http://gateway.test",
    token: async () => "abc",
    fetch: async (url, init) => {
      expect(init.headers).toMatchObject({ authorization: "Bearer abc" });
      const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
      sent.push({ request: `${init.method} ${url.replace("http://gateway.test/api/auth", "")}`, body });
      return left.shift() ?? new Response(null, { status: 500 });
    },
  });
  await runKeys(args, { api, write: (text) => output.push(text), now: () => nowMs });
  return { sent, output: output.join("") };
}

describe("bun run keys", () => {
  test("list reads every page and shows whom a key speaks for", async () => {
    const second = {
      ...stored,
      id: "fedcba9876543210",
      service: undefined,
      servicePrefix: "edge-",
      lastUsedAt: "2026-12-02T00:00:00.000Z",
    };
    const { sent, output } = await run(
      ["list"],
      Response.json({ items: [stored], next: "a/b" }),
      Response.json({ items: [second], next: null }),
    );
    expect(sent.map(({ request }) => request)).toEqual([
      "GET /ingest-keys?limit=100",
      "GET /ingest-keys?limit=100&cursor=a%2Fb",
    ]);
    expect(output).toContain("shop  0123456789abcdef  active  shop");
    expect(output).toContain("edge-*");
  });

  test("create asks for what the options say and prints the key once", async () => {
    const args = ["create", "shop", "--scopes", "logs:write,traces:write", "--prefix", "shop-", "--expires", "90d"];
    const { sent, output } = await run(args, Response.json({ ...stored, key: "vik_key" }, { status: 201 }));
    const body = { name: "shop", scopes: ["logs:write", "traces:write"], servicePrefix: "shop-" };
    expect(sent).toEqual([{ request: "POST /ingest-keys", body: { ...body, expiresAt: "2027-04-01T00:00:00.000Z" } }]);
    expect(output.split("vik_key")).toHaveLength(2);
  });

  test("rotate makes a key like the newest active one, for as long as that was made for", async () => {
    const older = {
      ...stored,
      id: "1111111111111111",
      createdAt: "2026-01-01T00:00:00.000Z",
      scopes: ["traces:write"],
    };
    const revoked = { ...stored, id: "2222222222222222", createdAt: "2026-12-30T00:00:00.000Z", status: "revoked" };
    const { sent } = await run(
      ["rotate", "shop"],
      Response.json({ items: [older, stored, revoked], next: null }),
      Response.json({ ...stored, key: "vik_key" }, { status: 201 }),
    );
    expect(sent[1]).toEqual({
      request: "POST /ingest-keys",
      body: { name: "shop", scopes: ["logs:write"], service: "shop", expiresAt: "2027-01-31T00:00:00.000Z" },
    });
  });

  test("revoke, signing and signing rotate say what they did, as JSON where asked for", async () => {
    const revoked = await run(["revoke", stored.id, "--json"], new Response(null, { status: 204 }));
    expect(revoked.sent[0]?.request).toBe(`DELETE /ingest-keys/${stored.id}`);
    expect(JSON.parse(revoked.output)).toEqual({ id: stored.id, status: "revoked" });
    const items = [{ kid: "k1", status: "signing", signsFrom: stored.createdAt }];
    expect((await run(["signing"], Response.json({ items }))).output).toContain("k1   signing");
    const rotated = await run(["signing", "rotate", "--compromised"], Response.json({ items }, { status: 201 }));
    expect(rotated.sent).toEqual([{ request: "POST /signing-keys", body: { mode: "compromised" } }]);
  });

  test("generate prints a key that is well formed, and asks nobody", async () => {
    const { sent, output } = await run(["generate"]);
    expect(sent).toEqual([]);
    expect(parseIngestKey(output.trim())).toBeDefined();
  });

  test.each([
    [["nonsense"], 'no command "keys nonsense"'],
    [["create"], "keys create needs NAME"],
    [["create", "shop", "--service", "shop"], "--scopes: must name at least one scope"],
    [["create", "shop", "--scopes", "orders:read", "--service", "shop"], "--scopes: is not one of"],
    [["create", "shop", "--scopes", "logs:write"], "--service: set service or servicePrefix"],
    [["create", "Shop", "--scopes", "logs:write", "--service", "s"], "NAME: lower-case"],
    [["create", "shop", "--scopes", "logs:write", "--service", "s", "--expires", "soon"], "--expires: must be a time"],
    [["revoke", "a", "b"], "one word too many"],
    [["list", "--nonsense"], "--nonsense"],
    [["signing", "nonsense"], 'no command "keys signing nonsense"'],
  ])("%p is a fault of usage, and nothing is asked", async (args, message) => {
    await expect(run(args)).rejects.toMatchObject({ name: "UsageError", message: expect.stringContaining(message) });
  });

  test("a refusal is told with its detail and its request id, and what is no answer of ours is said to be none", async () => {
    const body = {
      type: "about:blank",
      title: "t",
      status: 409,
      code: "too_many_keys",
      detail: "revoke one",
      requestId: "r1",
    };
    const args = ["create", "shop", "--scopes", "logs:write", "--service", "shop"];
    await expect(run(args, Response.json(body, { status: 409 }))).rejects.toThrow(
      "revoke one (too_many_keys, request r1)",
    );
    await expect(run(args, Response.json({}))).rejects.toThrow("something else than");
    await expect(run(["rotate", "shop"], Response.json({ items: [], next: null }))).rejects.toThrow("no active key");
  });
});
