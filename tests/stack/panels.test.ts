import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { z } from "zod";
import { eventually } from "@vitrine/kit/testing/eventually";
import { type Stack, startStack } from "./stack.ts";

/**
 * Every panel, variable, annotation, link and rule is asked in a whole running system, as `bun run doctor --panels`
 * does. Minutes, because rates and objectives need traffic first, so only with STACK_PANELS=on.
 */
const isWanted = Bun.env["STACK_PANELS"] === "on";

const coldStartMs = 60 * 60_000;
const filledWithinMs = 180_000;
const pauseMs = 5_000;

setDefaultTimeout(filledWithinMs + 60_000);

const fault = z.looseObject({ kind: z.string(), where: z.string(), title: z.string(), detail: z.string() });

const panelReport = z.object({
  ok: z.boolean(),
  checked: z.int(),
  p95Ms: z.int(),
  empty: z.array(fault),
  failing: z.array(fault),
  slow: z.array(fault),
});

let stack: Stack;

beforeAll(async () => {
  if (!isWanted) return;
  stack = await startStack();
  await eventually("the whole system is up", coldStartMs, async () => (await stack.doctor()).ok);
}, coldStartMs);

afterAll(async () => {
  if (isWanted) await stack.stop();
});

async function panels(): Promise<z.infer<typeof panelReport>> {
  const { stdout } = await stack.command("dev/doctor/cli.ts", "--panels", "--json");
  return panelReport.parse(JSON.parse(stdout));
}

const because = isWanted ? "" : " (skipped: it takes minutes; STACK_PANELS=on)";
test.skipIf(!isWanted)(
  `three minutes after the start nothing on any dashboard is empty, failing or slow${because}`,
  async () => {
    const deadline = Date.now() + filledWithinMs;
    let report = await panels();
    while (!report.ok && Date.now() < deadline) {
      await Bun.sleep(pauseMs);
      report = await panels();
    }
    const named = (faults: readonly z.infer<typeof fault>[]): readonly string[] =>
      faults.map(({ kind, where, title, detail }) => `${kind} ${where} · ${title}: ${detail}`);
    expect(named([...report.failing, ...report.empty, ...report.slow])).toEqual([]);
    expect(report.checked).toBeGreaterThan(400);
    expect(report.p95Ms).toBeLessThan(1_000);
  },
);
