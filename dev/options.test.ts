import { describe, expect, test } from "bun:test";
import { parseDevOptions, parseTokenOptions } from "./options.ts";
import { UsageError } from "./setup-error.ts";

describe("options of dev", () => {
  test("without any, everything runs, engines come from where they can be had, and traffic flows", () => {
    expect(parseDevOptions([])).toEqual({ engines: "auto", traffic: true, demo: true, reset: false, only: undefined });
  });

  test("each can be set", () => {
    const args = ["--engines=native", "--no-traffic", "--no-demo", "--reset", "--only=orders, loki,orders"];
    expect(parseDevOptions(args)).toEqual({
      engines: "native",
      traffic: false,
      demo: false,
      reset: true,
      only: ["orders", "loki"],
    });
  });

  test.each(["--help", "-h"])("%s asks for help", (arg) => {
    expect(parseDevOptions([arg])).toBe("help");
    expect(parseTokenOptions([arg])).toBe("help");
  });

  test.each([
    [["--verbose"], "Unknown option '--verbose'."],
    [["--engines=podman"], '--engines is auto, native or docker, not "podman".'],
    [["--engines"], "argument missing"],
    [["--only=orders,redis"], '--only names "redis", which is none of auth, gateway'],
    [["--only="], "--only needs at least one name."],
    [["orders"], "Unexpected argument 'orders'"],
    [["--reset=yes"], "does not take an argument"],
  ])("%p is refused by name", (args, words) => {
    expect(() => parseDevOptions(args)).toThrow(UsageError);
    expect(() => parseDevOptions(args)).toThrow(words);
  });
});

describe("options of token", () => {
  test("scopes are given with commas or spaces", () => {
    expect(parseTokenOptions(["--scopes", "orders:read,orders:write telemetry:read", "--user", "vip"])).toEqual({
      scopes: ["orders:read", "orders:write", "telemetry:read"],
      user: "vip",
    });
    expect(parseTokenOptions([])).toEqual({ scopes: undefined, user: undefined });
  });

  test.each([
    [["--scopes=orders:all"], '"orders:all" is no scope; there are telemetry:write'],
    [["--user="], "--user needs the name of a person."],
    [["--admin"], "Unknown option '--admin'."],
  ])("%p is refused by name", (args, words) => {
    expect(() => parseTokenOptions(args)).toThrow(UsageError);
    expect(() => parseTokenOptions(args)).toThrow(words);
  });
});
