import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { z } from "zod";
import { type Ask, createAsk } from "./ask.ts";

let server: Server<undefined>;
let ask: Ask;
let answer: (request: Request) => Response | Promise<Response>;
const answerForm = z.object({ n: z.number() });

beforeAll(() => {
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => answer(request) });
  ask = createAsk({ gatewayUrl: server.url.origin, token: "the-user", timeoutMs: 5_000 });
});
afterAll(() => server.stop(true));

function question(timeoutMs?: number) {
  return ask({
    source: "loki",
    path: "/loki/x",
    query: { a: 'b"&c', none: undefined },
    answer: answerForm,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

test("a question carries the user's own token, and its parameters as they are", async () => {
  let seen: { readonly authorization: string | null; readonly url: string } | undefined;
  answer = (request) => {
    seen = { authorization: request.headers.get("authorization"), url: request.url };
    return Response.json({ n: 1 });
  };
  expect(await question()).toEqual({ ok: true, value: { n: 1 } });
  expect(seen?.authorization).toBe("Bearer the-user");
  expect([...new URL(seen?.url ?? "").searchParams]).toEqual([["a", 'b"&c']]);
});

describe("who gives no answer is missing, with the reason", () => {
  test.each([
    [401, "signed_out"],
    [403, "forbidden"],
    [404, "not_found"],
    [429, "busy"],
    [400, "refused"],
    [500, "unreachable"],
    [502, "unreachable"],
    [503, "unreachable"],
    [504, "slow"],
  ] as const)("%d: %s", async (status, reason) => {
    const body = { type: "about:blank", title: "No", status, code: "x", requestId: "r-1", detail: "because" };
    answer = () =>
      Response.json(body, { status, headers: { "content-type": "application/problem+json", "x-request-id": "r-1" } });
    expect(await question()).toEqual({
      ok: false,
      missing: { source: "loki", reason, detail: "because", requestId: "r-1" },
    });
  });

  test("an answer that is late, cut off, no JSON, of another form, or never comes", async () => {
    answer = async () => {
      await Bun.sleep(1_000);
      return Response.json({ n: 1 });
    };
    expect(await question(50)).toMatchObject({ missing: { reason: "slow" } });
    answer = () => new Response("<html>", { headers: { "content-type": "application/json" } });
    expect(await question()).toMatchObject({ missing: { reason: "odd" } });
    answer = () => Response.json({ n: "one" });
    expect(await question()).toMatchObject({ missing: { reason: "odd" } });
    answer = () => new Response("x".repeat(5_000), { status: 400, headers: { "content-type": "text/plain" } });
    const refused = await question();
    expect(refused.ok ? 0 : refused.missing.detail?.length).toBe(300);
    const nobody = createAsk({ gatewayUrl: "http://127.0.0.1:1", token: "t", timeoutMs: 5_000 });
    expect(await nobody({ source: "jaeger", path: "/x", answer: answerForm })).toMatchObject({
      missing: { reason: "unreachable" },
    });
  });
});
