import { describe, expect, test } from "bun:test";
import { loginLocation, parseReturnPath } from "./return-path.ts";

describe("a return path", () => {
  test.each(["/", "/dashboards", "/orders/1?tab=spans&x=%2F", "/a%20b", "/search?q=a/b//c", "/@me", "/a:b"])(
    "%s is one of ours",
    (path) => expect(parseReturnPath(path)).toBe(path),
  );

  test.each([
    "",
    "orders",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "/%09/evil.test",
    "/%0a/evil.test",
    "/%2f/evil.test",
    "/%2Fevil.test",
    "/%5cevil.test",
    "/./evil.test/../..//x",
    "/../evil.test",
    "/a/../..//evil.test",
    "/.//evil.test",
    "https://evil.test/",
    "https:/evil.test",
    "https:evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    " /orders",
    "/orders#//evil.test",
    "/évil",
    "/a b",
    "http://here.invalid/orders",
    "//here.invalid/orders",
    `/${"a".repeat(3_000)}`,
  ])("%p is none", (path) => expect(parseReturnPath(path)).toBeUndefined());

  test("goes along to the login page, and is left out where it is none", () => {
    expect(loginLocation("/login", "/orders?x=1&y=2")).toBe("/login?return=%2Forders%3Fx%3D1%26y%3D2");
    expect(loginLocation("/login", "//evil.test")).toBe("/login");
    expect(loginLocation("/login", "/")).toBe("/login");
  });
});
