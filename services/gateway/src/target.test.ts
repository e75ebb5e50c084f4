import { describe, expect, test } from "bun:test";
import { parseTarget } from "./target.ts";

describe("a target in canonical form passes as it is", () => {
  test.each([
    ["/", "/", ""],
    ["/v1/traces", "/v1/traces", ""],
    ["/api/orders?limit=5&x=a/../b", "/api/orders", "?limit=5&x=a/../b"],
    [
      "/loki/api/v1/label/service_name/values?query=%7Ba%3D%22b%2Fc%22%7D",
      "/loki/api/v1/label/service_name/values",
      "?query=%7Ba%3D%22b%2Fc%22%7D",
    ],
    ["/jaeger/api/services/caf%C3%A9%20bar/operations", "/jaeger/api/services/caf%C3%A9%20bar/operations", ""],
    ["/.well-known/jwks.json", "/.well-known/jwks.json", ""],
    ["/a/b.c..d/...", "/a/b.c..d/...", ""],
    ["/a/~x!$&'()*+,=:@-_", "/a/~x!$&'()*+,=:@-_", ""],
  ])("%s", (text, path, query) => {
    expect(parseTarget(`http://gateway:8080${text}`, "gateway:8080")).toEqual({ path, query });
    expect(parseTarget(`https://[::1]${text}`, "[::1]")).toEqual({ path, query });
  });
});

describe("a target two parsers could read differently is refused", () => {
  test.each([
    "//v1/traces",
    "/v1//traces",
    "/v1/traces/",
    "/v1/./traces",
    "/v1/../traces",
    "/v1/..",
    "/v1%2ftraces",
    "/v1%2Ftraces",
    "/v1%5ctraces",
    "/v1\\traces",
    "/v1/%2e%2e/x",
    "/v1/%2E/x",
    "/v1/.%2e/x",
    "/v1/tr%61ces",
    "/v1/traces%00",
    "/v1/traces%0d%0ax",
    "/v1/traces%7f",
    "/v1/traces%25",
    "/v1/traces%252f",
    "/v1/traces%3b",
    "/v1/traces%23",
    "/v1/traces%3fx",
    "/v1/traces;x=1",
    "/v1/traces#x",
    "/v1/traces?x#y",
    "/v1/%c0%af",
    "/v1/%ff",
    "/v1/%u002f",
    "/v1/%zz",
    "/v1/%",
    "/v1/%c2%85",
    "/v1/a b",
    "/v1/a|b",
    '/v1/a"b',
    "/v1/é",
    "/v1/%ef%bf%bd",
    "/v1/a%ef%bc%8fb",
    "/v1/%ef%bc%8e%ef%bc%8e/x",
    "/v1/%e2%84%aaey",
    "/v1/a%e2%80%aeb",
    "/v1/a%c2%adb",
  ])("%s", (text) => expect(parseTarget(`http://gateway${text}`, "gateway")).toBeUndefined());

  test.each(["/x", "h:1", "", "ftp://h/x", "http:///x", "http://a@b/x", "http://h"])("address %p", (url) =>
    expect(parseTarget(url, "h")).toBeUndefined(),
  );

  test("two Host headers", () => expect(parseTarget("http://a/x", "a, b")).toBeUndefined());
});
