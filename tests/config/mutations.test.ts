import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { engineNamed } from "../../dev/engines/engines.ts";
import { provideTool } from "../../dev/engines/provide.ts";
import { runCommand } from "../../dev/engines/run-command.ts";
import { temporaryDirectory, type TemporaryDirectory } from "../../dev/engines/testing.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import { alertsOf, prometheusRules, type RuleFile } from "./rule-files.ts";

/** The tests of the rules are tested: each small fault put into an alert must make them fail. */
const buildTimeoutMs = 45 * 60_000;

/** Half a minute by itself, two with MUTATIONS=all, which doubles and halves every threshold too. */
const withThresholds = Bun.env["MUTATIONS"] === "all";

const testsSchema = z.looseObject({ tests: z.array(z.looseObject({ name: z.string() })) });

let directory: TemporaryDirectory;
let promtool: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  const prometheus = engineNamed("prometheus");
  if (prometheus === undefined) throw new Error("no engine prometheus");
  promtool = (await provideTool(prometheus)).path;
}, buildTimeoutMs);

afterAll(() => directory[Symbol.asyncDispose]());

/** Whether the tests of a file notice. First those that name the alert: they are enough nearly always. */
async function isKilled(file: RuleFile, mutant: Mutant): Promise<boolean> {
  const folder = join(directory.path, crypto.randomUUID());
  await cp(dirname(file.path), folder, { recursive: true });
  await Bun.write(join(folder, file.name), Bun.YAML.stringify({ groups: mutant.groups }, null, 2));
  const testFile = file.name.replace(".rules.yaml", ".test.yaml");
  const { tests } = testsSchema.parse(Bun.YAML.parse(await Bun.file(join(folder, testFile)).text()));
  const near = tests.filter((group) => textOf(group).includes(mutant.mark)).map(({ name }) => name);
  const run = async (names: readonly string[]): Promise<boolean> => {
    const only = names.map((name) => `--run=^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
    const { exitCode, stdout, stderr } = await runCommand([promtool, "test", "rules", ...only, testFile], {
      cwd: folder,
      env: Bun.env,
    });
    // A rule that cannot be read is no fault that the tests noticed.
    expect(`${stdout}${stderr}`).not.toContain("parse error");
    return exitCode !== 0;
  };
  return (near.length > 0 && (await run(near))) || run([]);
}

function textOf(group: unknown): string {
  return Bun.YAML.stringify(group).replaceAll('\\"', '"');
}

async function survivorsOf(file: RuleFile): Promise<readonly string[]> {
  const waiting = mutantsOf(file).filter(({ isThreshold }) => withThresholds || !isThreshold);
  const survivors: string[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = waiting.pop(); mutant !== undefined; mutant = waiting.pop())
      if (!(await isKilled(file, mutant))) survivors.push(mutant.change);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return survivors;
}

test.each(prometheusRules.filter((file) => alertsOf(file).length > 0))(
  "a wrong sign or patience of any alert in $name is noticed by its tests",
  async (file) => {
    expect(await survivorsOf(file)).toEqual([]);
  },
  buildTimeoutMs,
);
