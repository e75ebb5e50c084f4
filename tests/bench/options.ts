import { parseArgs } from "node:util";
import { z } from "zod";
import type { BenchSettings } from "./harness/bench.ts";

export interface BenchOptions {
  readonly names: readonly string[];
  readonly json: boolean;
  readonly settings: BenchSettings;
}

/** The command line is not valid; the message says what to write instead. */
export class UsageError extends Error {}

export const usage = `bun run bench [name …] [--json] [--rounds N] [--seconds S] [--connections N] [--only variant,variant]
       [--scenario name,name]

  --rounds N        alternating rounds (default 4)
  --seconds S       length of one measurement in seconds (default 1)
  --connections N   keep-alive connections, one request under way on each (default 32)
  --only a,b        these variants and their baselines
  --scenario a,b    further scenarios of the bench, or all (gateway: tokens, small, large, refused)
  --json            the whole result on stdout
`;

const positive = (name: string, whole: boolean) => {
  const number = z.coerce.number({ error: `${name} must be a number` }).positive(`${name} must be above 0`);
  return whole ? number.int(`${name} must be a whole number`) : number;
};

const list = z
  .string()
  .default("")
  .transform((names) => names.split(",").filter((name) => name !== ""));

const schema = z.object({
  json: z.boolean().default(false),
  rounds: positive("--rounds", true).default(4),
  seconds: positive("--seconds", false).default(1),
  connections: positive("--connections", true).default(32),
  only: list,
  scenario: list,
});

/** @throws UsageError */
export function parseOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = readArgs(args);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`no such bench: ${unknown.join(", ")} (there are: ${known.join(", ")})`);
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new UsageError(parsed.error.issues.map((issue) => issue.message).join("\n"));
  const { json, scenario: scenarios, ...settings } = parsed.data;
  return {
    names: positionals.length === 0 ? known : positionals,
    json,
    settings: { ...settings, scenarios, warmupSeconds: Math.min(1, settings.seconds), quietMs: 3_000 },
  };
}

function readArgs(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        connections: { type: "string" },
        only: { type: "string" },
        scenario: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "the arguments are not valid", { cause: error });
  }
}
