import { describe, expect, test } from "bun:test";
import { interpolate, legendOf } from "./interpolate.ts";

describe("interpolate", () => {
  test.each([
    ["a bare name", 'x{a="$a"}', { a: "1" }, 'x{a="1"}'],
    ["a name in braces", "${a}s", { a: "1" }, "1s"],
    ["a label of what was clicked", "${label.service_name}", { "label.service_name": "orders" }, "orders"],
    ["one of a list", "$a", { a: ["orders"] }, "orders"],
    ["several of a list", "$a", { a: ["orders", "auth"] }, "(orders|auth)"],
    ["all of a list", 'x{a=~"$a"}', { a: [] }, 'x{a=~".+"}'],
    ["a list with special characters", "$a", { a: ["/api/auth/**"] }, String.raw`/api/auth/\\*\\*`],
    ["what is unknown stays", "$b ${label.c} $1", { a: "1" }, "$b ${label.c} $1"],
    ["a longer name is another", "$a_b", { a: "1" }, "$a_b"],
    ["a value is not read again", "$a", { a: "$b", b: "2" }, "$b"],
  ])("%s", (_, text, scope, expected) => {
    expect(interpolate(text, scope)).toBe(expected);
  });
});

test("a legend shows the labels it names, and nothing for those that are missing", () => {
  expect(legendOf("{{client}} → {{ server }}", { client: "gateway", server: "auth" })).toBe("gateway → auth");
  expect(legendOf("p95 {{outcome}}", {})).toBe("p95");
});
