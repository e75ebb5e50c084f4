import { expect, test } from "bun:test";
import { ingestAnswerHeaders } from "./refuse.ts";

const type = "application/x-protobuf";
const answer = (id: string, status = 200, said?: string) =>
  new Response(null, { status, headers: ingestAnswerHeaders(type, id, status, said) });

test("answers that are under way at once have headers of their own", () => {
  const first = answer("one");
  first.headers.set("strict-transport-security", "max-age=1");
  const second = answer("two", 503);
  const third = answer("three", 200);
  expect([first, second, third].map(({ headers }) => Object.fromEntries(headers))).toEqual([
    { ...common("one"), "strict-transport-security": "max-age=1" },
    { ...common("two"), "retry-after": "2" },
    common("three"),
  ]);
});

test("types are kept apart, and what has no body names none", () => {
  const text = ingestAnswerHeaders("text/plain; charset=utf-8", "one", 400, undefined).get("content-type");
  const bare = ingestAnswerHeaders(undefined, "two", 204, undefined).get("content-type");
  expect([text, bare, answer("three").headers.get("content-type")]).toEqual(["text/plain; charset=utf-8", null, type]);
});

function common(id: string): Record<string, string> {
  return {
    "cache-control": "no-store",
    "content-type": type,
    "x-content-type-options": "nosniff",
    "x-request-id": id,
  };
}
