import { describe, expect, test } from "bun:test";
import { createAuthApi } from "./auth-api.ts";
import { runUsers } from "./users.ts";

const anna = {
  id: "0197a000-0000-7000-8000-000000000001",
  name: "Anna",
  role: "viewer",
  demo: false,
  disabled: false,
  createdAt: "2026-12-01T00:00:00.000Z",
};

async function run(args: readonly string[], ...answers: readonly Response[]) {
  const left = [...answers];
  const sent: unknown[] = [];
  const output: string[] = [];
  const api = createAuthApi({
    gatewayUrl: "http://gateway.test",
    token: async () => "abc",
    fetch: async (url, init) => {
      const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
      sent.push([`${init.method} ${url.replace("http://gateway.test/api/auth", "")}`, body]);
      return left.shift() ?? new Response(null, { status: 500 });
    },
  });
  await runUsers(args, { api, write: (text) => output.push(text) });
  return { sent, output: output.join("") };
}

const page = (): Response => Response.json({ items: [anna], next: null });

describe("bun run users", () => {
  test("list shows everyone", async () => {
    const { output } = await run(["list"], Response.json({ items: [anna], next: "x" }), page());
    expect(output.match(/Anna {2}viewer {2}active/g)).toHaveLength(2);
  });

  test("create asks for the role and prints the password once", async () => {
    const { sent, output } = await run(
      ["create", "Anna", "--role", "operator"],
      Response.json({ ...anna, password: "p4ss" }),
    );
    expect(sent).toEqual([["POST /users", { name: "Anna", role: "operator" }]]);
    expect(output.split("p4ss")).toHaveLength(2);
  });

  test.each([
    [["role", "anna", "admin"], { role: "admin" }],
    [["disable", "anna"], { disabled: true }],
    [["enable", "ANNA"], { disabled: false }],
  ])("%p finds the person whatever the case and changes what was said", async (args, body) => {
    const { sent } = await run(args, page(), Response.json(anna));
    expect(sent[1]).toEqual([`PATCH /users/${anna.id}`, body]);
  });

  test("reset prints the new password once, as JSON where asked for", async () => {
    const { sent, output } = await run(["reset", "anna", "--json"], page(), Response.json({ password: "p4ss" }));
    expect(sent[1]).toEqual([`POST /users/${anna.id}/password`, undefined]);
    expect(JSON.parse(output)).toEqual({ password: "p4ss" });
  });

  test.each([
    [["nonsense"], 'no command "users nonsense"'],
    [["create"], "needs the name of a person"],
    [["create", "Anna", "--role", "owner"], 'not "owner"'],
    [["role", "Anna"], 'not ""'],
    [["disable", "Anna", "Bert"], "one word too many"],
  ])("%p is a fault of usage", async (args, message) => {
    await expect(run(args)).rejects.toMatchObject({ name: "UsageError", message: expect.stringContaining(message) });
  });

  test("audit-check prints what to keep, asks about what was kept, and fails when a row does not hold", async () => {
    const held = { intact: true, rows: 7, head: "ab".repeat(32), brokenAt: null, follows: null };
    const { sent, output } = await run(["audit-check", `5:${"cd".repeat(32)}`], Response.json(held));
    expect(sent).toEqual([[`POST /audit/check?head=5%3A${"cd".repeat(32)}`, undefined]]);
    expect(output).toStartWith(`7:${held.head}\n`);
    const broken = { ...held, intact: false, brokenAt: 8 };
    await expect(run(["audit-check"], Response.json(broken))).rejects.toThrow("does not hold from row 8 on");
    const shorter = { ...held, intact: false, follows: false };
    await expect(run(["audit-check"], Response.json(shorter))).rejects.toThrow("cut short or made anew");
  });

  test("a name nobody has is said to be none", async () => {
    await expect(run(["disable", "bert"], page())).rejects.toThrow('no person named "bert"');
  });
});
