import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import {
  baseShape,
  ConfigError,
  type Env,
  flag,
  integer,
  oneOf,
  optionalSecret,
  parseEnv,
  port,
  secret,
  text,
  toBaseConfig,
  tokenShape,
  toTokenConfig,
  url,
} from "./config.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vitrine-config-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function fileWith(content: string): Promise<string> {
  const path = join(directory, crypto.randomUUID());
  await writeFile(path, content);
  return path;
}

function faultsOf(env: Env, shape: Readonly<Record<string, z.ZodType>>): readonly string[] {
  try {
    parseEnv(env, shape);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const valueOf = (schema: z.ZodType, value: string | undefined) => parseEnv({ X: value }, { X: schema }).X;

describe("faults", () => {
  const shape = { NAME: text(), PORT: port(), KEY: secret(), UPSTREAM_URL: url(), MODE: oneOf(["a", "b"], "a") };

  test("are told all at once, by name", () => {
    expect(faultsOf({ PORT: "http", KEY: "short", UPSTREAM_URL: "ftp://x", MODE: "c" }, shape)).toEqual([
      "NAME: is not set",
      "PORT: must be a whole number from 0 to 65535",
      "KEY: must have at least 8 characters",
      "UPSTREAM_URL: must be an http or https URL",
      "MODE: must be one of a, b",
    ]);
  });

  test("stand in the message of the error, one a line", () => {
    expect(() => parseEnv({}, { A: text(), B: text() })).toThrow(
      "The configuration is not valid:\n  - A: is not set\n  - B: is not set",
    );
  });

  test("never show a value", async () => {
    const hidden = "hid-den";
    const path = await fileWith(hidden);
    const everything = {
      A: secret(),
      B: port(),
      C: url(),
      D: oneOf(["a"], "a"),
      E: flag(true),
      F: secret(),
      G: secret(),
    };
    const faults = faultsOf(
      { A: hidden, B: hidden, C: hidden, D: hidden, E: hidden, F_FILE: path, G: hidden, G_FILE: path },
      everything,
    );
    expect(new Set(faults.map((fault) => fault.slice(0, 1)))).toEqual(new Set("ABCDEFG"));
    expect(faults.join()).not.toContain(hidden);
  });

  test("a value read is frozen", () => {
    expect(Object.isFrozen(parseEnv({}, { A: text("a") }))).toBe(true);
  });
});

describe("unset", () => {
  test("an empty variable counts as unset: the default holds, or it is missing", () => {
    expect(parseEnv({ A: "", B: "" }, { A: text("default"), B: integer({ min: 1, max: 9, fallback: 5 }) })).toEqual({
      A: "default",
      B: 5,
    });
    expect(faultsOf({ A: "" }, { A: text() })).toEqual(["A: is not set"]);
    expect(valueOf(optionalSecret(), "")).toBeUndefined();
  });
});

describe("a secret", () => {
  test("may stand in a file, whose last line break is not part of it", async () => {
    const path = await fileWith("a long secret\n");
    expect(parseEnv({ KEY_FILE: path }, { KEY: secret() })).toEqual({ KEY: "a long secret" });
    expect(parseEnv({ KEY_FILE: path }, { KEY: optionalSecret() })).toEqual({ KEY: "a long secret" });
  });

  test("given twice is a fault", async () => {
    const path = await fileWith("a long secret");
    expect(faultsOf({ KEY: "another secret", KEY_FILE: path }, { KEY: secret() })).toEqual([
      "KEY: set KEY or KEY_FILE, not both",
    ]);
  });

  test("in a file that is not there, or cannot be read, is a fault that names file and variable", async () => {
    const absent = join(directory, "absent");
    const faults = faultsOf({ KEY_FILE: absent, OTHER_FILE: directory }, { KEY: secret(), OTHER: optionalSecret() });
    expect(faults).toHaveLength(2);
    expect(faults[0]).toStartWith(`KEY_FILE: cannot read ${absent} (ENOENT`);
    expect(faults[1]).toStartWith(`OTHER_FILE: cannot read ${directory} (EISDIR`);
  });

  test("in an empty file is not set", async () => {
    const path = await fileWith("\n");
    await chmod(path, 0o600);
    expect(faultsOf({ KEY_FILE: path }, { KEY: secret() })).toEqual(["KEY: is not set"]);
  });

  test("is the only kind that is read from a file", async () => {
    expect(faultsOf({ NAME_FILE: await fileWith("name") }, { NAME: text() })).toEqual(["NAME: is not set"]);
  });
});

describe("numbers", () => {
  const limits = { min: -5, max: 70_000 };
  test.each([
    ["-5", -5],
    ["0", 0],
    ["70000", 70_000],
    ["007", 7],
  ])("%p is %d", (value, number) => {
    expect(valueOf(integer(limits), value)).toBe(number);
  });

  test.each(["-6", "70001", "1.5", "1e3", "0x10", " 1", "1 ", "NaN", "Infinity", "9".repeat(20), "١"])(
    "%p is refused",
    (value) => {
      expect(faultsOf({ X: value }, { X: integer(limits) })).toEqual(["X: must be a whole number from -5 to 70000"]);
    },
  );
});

describe("flags", () => {
  test.each([
    ["on", true],
    ["true", true],
    ["1", true],
    ["yes", true],
    ["off", false],
    ["false", false],
    ["0", false],
    ["no", false],
  ])("%p is %p", (value, wanted) => {
    expect(valueOf(flag(!wanted), value)).toBe(wanted);
  });

  test("anything else is refused", () => {
    expect(faultsOf({ X: "maybe" }, { X: flag(false) })).toEqual(["X: must be on or off"]);
  });
});

describe("the variables of every service", () => {
  const read = (env: Env) => toBaseConfig(parseEnv(env, { ...baseShape, PORT: port(8_082) }));

  test("have defaults for development", () => {
    expect(read({})).toEqual({ http: { host: "127.0.0.1", port: 8_082 }, log: { level: "info", sink: "otlp" } });
  });

  test("ask for a token when logs go to Loki directly", () => {
    expect(() => read({ LOG_SINK: "loki" })).toThrow("LOKI_PUSH_TOKEN: is not set");
    expect(
      read({ LOG_SINK: "loki", LOKI_PUSH_TOKEN: "ingest-token", LOKI_PUSH_URL: "http://gateway.test" }).log,
    ).toEqual({
      level: "info",
      sink: "loki",
      loki: { url: "http://gateway.test", token: "ingest-token" },
    });
  });

  test("lead to the addresses of the auth service", () => {
    expect(toTokenConfig(parseEnv({ AUTH_URL: "http://auth:8081/" }, tokenShape))).toEqual({
      jwksUrl: "http://auth:8081/.well-known/jwks.json",
      tokenUrl: "http://auth:8081/oauth/token",
      issuer: "http://localhost:8080",
      audience: "vitrine",
    });
  });
});
