import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ConfigError, type Env } from "../../packages/kit/src/config.ts";
import { readExportSettings } from "../../packages/kit/src/telemetry/settings.ts";
import { repositoryRoot } from "../../dev/engines/engines.ts";
import { temporaryDirectory, type TemporaryDirectory } from "../../dev/engines/testing.ts";
import { composeService, composeText } from "./compose.ts";

type ParseConfig = (env: Env) => unknown;

/** Read by the OpenTelemetry SDK itself. */
const sdkVariables = ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER"];

/** One name, another default in each service. */
const ownDefaults = new Set(["PORT"]);

const example = new Map(
  (await Bun.file(join(repositoryRoot, ".env.example")).text())
    .split("\n")
    .map((line) => /^# ([A-Z][A-Z0-9_]*)=(.*)$/.exec(line))
    .flatMap((match) => (match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const])),
);

const services: readonly { readonly name: string; readonly parseConfig: ParseConfig }[] = await Promise.all(
  [...new Bun.Glob("services/*/src/config.ts").scanSync(repositoryRoot)].sort().map(async (path) => {
    const module: { parseConfig: ParseConfig } = await import(join(repositoryRoot, path));
    return { name: path.split("/")[1] ?? "", parseConfig: module.parseConfig };
  }),
);

let directory: TemporaryDirectory;
let required: Readonly<Record<string, string>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const clientsFile = join(directory.path, "clients.json");
  await Bun.write(clientsFile, "[]");
  required = {
    ALERTMANAGER_TOKEN: "A".repeat(43),
    CLIENT_ID: "someone",
    CLIENT_SECRET: "A".repeat(43),
    CLIENTS_FILE: clientsFile,
    DATABASE_URL: "postgres://someone:secret@127.0.0.1:5432/vitrine",
    KEY_ENCRYPTION_KEY: "A".repeat(43),
  };
});

afterAll(() => directory[Symbol.asyncDispose]());

test(".env.example lists every variable that a service or compose.yaml reads, and no other", () => {
  const read = [...services.map(({ parseConfig }) => parseConfig), readExportSettings].flatMap(variablesOf);
  const all = new Set([...read, ...sdkVariables, ...composeVariables().keys()]);
  expect([...example.keys()].sort()).toEqual([...all].sort());
});

test("the defaults that .env.example shows for compose are the ones in compose.yaml", () => {
  for (const [name, fallback] of composeVariables()) expect(`${name}=${example.get(name)}`).toBe(`${name}=${fallback}`);
});

describe.each(services.map(({ name, parseConfig }) => [name, parseConfig] as const))("%s", (name, parseConfig) => {
  test("has the defaults that .env.example shows", () => {
    const shown = [...example].filter(([variable]) => !ownDefaults.has(variable));
    expect(parseConfig({ ...Object.fromEntries(shown), ...required })).toEqual(parseConfig(required));
  });

  test("is given by compose.yaml only variables that it reads", () => {
    const { environment } = composeService(name);
    const known = new Set([...variablesOf(parseConfig), ...variablesOf(readExportSettings), ...sdkVariables]);
    const given = Object.keys(environment).map((variable) => (known.has(variable) ? variable : asSecret(variable)));
    expect(given.filter((variable) => !known.has(variable))).toEqual([]);
  });
});

test("telemetry has the defaults that .env.example shows", () => {
  expect(readExportSettings(Object.fromEntries(example))).toEqual(readExportSettings({}));
});

/** Asks with an environment that notes what it is asked for. A secret's `_FILE` twin is the same variable. */
function variablesOf(parse: ParseConfig): readonly string[] {
  const asked = new Set<string>();
  const env = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get: (_, name) => {
        asked.add(String(name));
        return undefined;
      },
    },
  );
  try {
    parse(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  return [...asked].filter((name) => !asked.has(asSecret(name)) || asSecret(name) === name);
}

function asSecret(name: string): string {
  return name.replace(/_FILE$/, "");
}

function composeVariables(): ReadonlyMap<string, string> {
  return new Map(
    [...composeText.matchAll(/\$\{([A-Z_]+):-([^}]*)\}/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}
