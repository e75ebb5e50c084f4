import { parseArgs } from "node:util";
import { isScope, type Scope, scopes } from "@vitrine/contracts/scopes";
import type { EngineMode } from "./engines/provide.ts";
import { processNames, type ProcessName } from "./process-names.ts";
import { messageOf, UsageError } from "./setup-error.ts";

export interface DevOptions {
  readonly engines: EngineMode;
  readonly traffic: boolean;
  readonly demo: boolean;
  readonly reset: boolean;
  /** Undefined: everything. */
  readonly only: readonly ProcessName[] | undefined;
}

export interface TokenOptions {
  /** Undefined: all that the client, or the person, may have. */
  readonly scopes: readonly Scope[] | undefined;
  readonly user: string | undefined;
}

export const devUsage = `Usage: bun run dev [--engines=auto|native|docker] [--no-traffic] [--no-demo] [--reset] [--only=a,b]

  --engines     where engines come from: auto (default) takes the cache, PATH, Docker, or builds them; native never
                takes Docker; docker nothing else
  --no-traffic  no simulated customers; demo data is still there
  --no-demo     without the visitor vip, whose password everyone knows
  --reset       forget data and secrets of this checkout first
  --only        only these, and the database where they need it: ${processNames.join(", ")}`;

export const tokenUsage = `Usage: bun run token [--scopes a,b] [--user NAME]

  --scopes  what the token may do (default: everything the holder may): ${scopes.join(", ")}
  --user    act as this person instead of as the client \`cli\``;

const modes: readonly EngineMode[] = ["auto", "native", "docker"];

/** "help" when that is asked for. @throws {UsageError} */
export function parseDevOptions(args: readonly string[]): DevOptions | "help" {
  const values = parse(args, {
    engines: { type: "string", default: "auto" },
    "no-traffic": { type: "boolean", default: false },
    "no-demo": { type: "boolean", default: false },
    reset: { type: "boolean", default: false },
    only: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) return "help";
  const mode = modes.find((name) => name === values.engines);
  if (mode === undefined) throw new UsageError(`--engines is auto, native or docker, not "${values.engines}".`);
  return {
    engines: mode,
    traffic: !values["no-traffic"],
    demo: !values["no-demo"],
    reset: values.reset,
    only: values.only === undefined ? undefined : parseNames(values.only),
  };
}

/** @throws {UsageError} */
export function parseTokenOptions(args: readonly string[]): TokenOptions | "help" {
  const values = parse(args, {
    scopes: { type: "string" },
    user: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  });
  if (values.help) return "help";
  if (values.user === "") throw new UsageError("--user needs the name of a person.");
  return { scopes: values.scopes === undefined ? undefined : parseScopes(values.scopes), user: values.user };
}

function parseNames(text: string): readonly ProcessName[] {
  return list("--only", text).map((name) => {
    const known = processNames.find((other) => other === name);
    if (known === undefined)
      throw new UsageError(`--only names "${name}", which is none of ${processNames.join(", ")}.`);
    return known;
  });
}

function parseScopes(text: string): readonly Scope[] {
  return list("--scopes", text).map((scope) => {
    if (!isScope(scope)) throw new UsageError(`"${scope}" is no scope; there are ${scopes.join(", ")}.`);
    return scope;
  });
}

/** Names between commas or spaces, each once. */
function list(option: string, text: string): readonly string[] {
  const names = text.split(/[\s,]+/).filter((name) => name !== "");
  if (names.length === 0) throw new UsageError(`${option} needs at least one name.`);
  return [...new Set(names)];
}

type OptionTable = NonNullable<Parameters<typeof parseArgs>[0]>["options"];

function parse<const T extends NonNullable<OptionTable>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    // Node appends advice about `--` that helps nobody here.
    const fault = messageOf(cause)
      .replace(/\. To specify a positional.*$/s, "")
      .replace(/\.$/, "");
    throw new UsageError(`${fault}. See --help.`, { cause });
  }
}
