import { describe, expect, test } from "bun:test";
import { failuresQuery } from "../overview/trouble.tsx";
import { logParameters, logQuery, requestParameters, requestQuery, spanOf } from "./filter.ts";

const nowMs = Date.parse("2026-11-21T08:00:00Z");

function requests(values: Record<string, string>) {
  return requestQuery(requestParameters.parse(values));
}

describe("a question for requests", () => {
  test("narrows by every field, and leaves the console's own questions out unless asked for", () => {
    expect(requests({})).toContain('{service_name="gateway"} | action="http.request" | extra_route!~');
    expect(requests({ of: "all" })).toBe('{service_name="gateway"} | action="http.request"');
    expect(
      requests({ service: "orders", route: "/api/orders", status: "5xx", user: "anna", slower: "250", text: "a.b" }),
    ).toBe(
      '{service_name="orders"} | action="http.request" | extra_route="/api/orders" | extra_status=~"5.." | user="anna" | duration_ms > 250 |~ "(?i)a\\\\.b"',
    );
  });

  test("that failed is the same on the overview as where it leads", () => {
    expect(failuresQuery).toBe(requests({ status: "5xx" }));
    expect(failuresQuery).toContain("| extra_route!~");
  });

  test.each(['"} or {a="b', "`", "\\", '" | json | x="', "a\nb"])("keeps %j one value", (text) => {
    const query = requests({ user: text, text, of: "all" });
    const rest = query.replace(JSON.stringify(text), "").replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
    expect(rest).toBe("{service_name=} | action= | user= |~ ");
  });

  test.each([
    { status: "6xx" },
    { status: "5x" },
    { slower: "fast" },
    { last: "1y" },
    { from: "yesterday" },
    { user: "x".repeat(257) },
  ])("is refused for %p", (values) => expect(requestParameters.safeParse(values).success).toBe(false));
});

test("a question for lines takes a level and all above it", () => {
  expect(logQuery(logParameters.parse({ level: "warn" }))).toBe(
    '{service_name=~".+"} | detected_level=~"warn|error|fatal"',
  );
});

test("a length that is chosen is until now, though dates of before still stand in the form", () => {
  const [from, to] = ["2026-11-20T06:00:00Z", "2026-11-20T07:00:00Z"];
  expect(spanOf({ from, to, last: "15m" }, nowMs)).toEqual({
    range: { fromMs: nowMs - 900_000, toMs: nowMs },
    moving: true,
  });
});

test("a span ends now unless it says when, and is turned when it stands the wrong way round", () => {
  expect(spanOf({}, nowMs)).toEqual({ range: { fromMs: nowMs - 3_600_000, toMs: nowMs }, moving: true });
  const [from, to] = ["2026-11-21T07:00:00Z", "2026-11-21T06:00:00Z"];
  expect(spanOf({ from, to }, nowMs)).toEqual({
    range: { fromMs: Date.parse(to), toMs: Date.parse(from) },
    moving: false,
  });
});
