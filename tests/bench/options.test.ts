import { describe, expect, test } from "bun:test";
import { parseOptions, UsageError } from "./options.ts";

const known = ["kit", "gateway"];

describe("parseOptions", () => {
  test("without arguments every bench runs, by the defaults", () => {
    expect(parseOptions([], known)).toEqual({
      names: known,
      json: false,
      settings: { rounds: 4, seconds: 1, warmupSeconds: 1, quietMs: 3_000, connections: 32, only: [], scenarios: [] },
    });
  });

  test("reads names and flags in any order", () => {
    const args = ["--json", "gateway", "--rounds", "9", "--seconds=0.5", "--connections", "8", "--only", "kit,node"];
    const scenarios = ["small", "large"];
    args.push("--scenario", "small,large");
    expect(parseOptions(args, known)).toEqual({
      names: ["gateway"],
      json: true,
      settings: {
        rounds: 9,
        seconds: 0.5,
        warmupSeconds: 0.5,
        quietMs: 3_000,
        connections: 8,
        only: ["kit", "node"],
        scenarios,
      },
    });
  });

  test.each([
    [["nothing"], "no such bench: nothing"],
    [["--rounds", "0"], "--rounds must be above 0"],
    [["--rounds", "1.5"], "--rounds must be a whole number"],
    [["--seconds", "soon"], "--seconds must be a number"],
    [["--fast"], "--fast"],
  ])("refuses %p", (args, message) => {
    expect(() => parseOptions(args, known)).toThrow(UsageError);
    expect(() => parseOptions(args, known)).toThrow(message);
  });
});
