import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench, Variant } from "./bench.ts";
import { runBench } from "./run.ts";

const runtime = { bun: process.execPath, path: process.env["PATH"] ?? "" };
const settings = {
  rounds: 2,
  seconds: 0.05,
  warmupSeconds: 0.02,
  connections: 2,
  quietMs: 50,
  only: [],
  scenarios: [],
};
const goOn = { say: () => undefined, signal: new AbortController().signal };

const answerOk = "Bun.serve({ port: process.env.PORT, hostname: '127.0.0.1', fetch: () => new Response('ok') })";

function variant(name: string, script: string, more: Partial<Variant> = {}): Variant {
  const command = [process.execPath, "-e", script];
  return { name, baseline: "bare", command, cwd: import.meta.dir, env: {}, exports: false, ...more };
}

function benchOf(...variants: readonly Variant[]): Bench {
  const leaves = { serverSpans: 1, sqlSpans: 0, accessLogs: 0, requestDurations: 0 };
  const routes = [{ name: "hello", requests: [{ method: "GET", path: "/" }], leaves }];
  return { name: "test", title: "test", prepare: async () => ({ routes, variants, skipped: [] }) };
}

describe("runBench", () => {
  test("measures every variant once in every round", async () => {
    const run = await runBench(benchOf(variant("bare", answerOk), variant("same", answerOk)), settings, runtime, goOn);
    expect(run.faults).toEqual([]);
    expect(run.measurements.map(({ round, variant }) => `${round} ${variant}`)).toEqual([
      "0 bare",
      "0 same",
      "1 same",
      "1 bare",
    ]);
    expect(run.measurements.every(({ requests, requestsPerSecond }) => requests > 0 && requestsPerSecond > 0)).toBe(
      true,
    );
  });

  test("a variant that does not deliver what its requests owe is a fault that says what is missing", async () => {
    const silent = variant("silent", answerOk, { exports: true });
    const run = await runBench(benchOf(variant("bare", answerOk), silent), settings, runtime, goOn);
    expect(run.faults).toHaveLength(1);
    expect(run.faults[0]).toMatch(/^silent: (\d+) of \1 server spans did not arrive$/);
  });

  test("a variant that answers with errors is a fault", async () => {
    const broken = variant("broken", answerOk.replace("'ok'", "'no', { status: 500 }"));
    const run = await runBench(benchOf(variant("bare", answerOk), broken), settings, runtime, goOn);
    expect(run.faults[0]).toMatch(/^broken hello: \d+ × status 500$/);
  });

  test("a variant whose runtime is missing is left out with what it said, and with it those measured against it", async () => {
    const missing = variant("missing", "console.error('no such runtime'); process.exit(3)", { mayBeMissing: true });
    const child = variant("child", answerOk, { baseline: "missing", mayBeMissing: true });
    const run = await runBench(benchOf(variant("bare", answerOk), missing, child), settings, runtime, goOn);
    expect(run.variants.map(({ name }) => name)).toEqual(["bare"]);
    expect(run.skipped.map((skip) => skip.variant)).toEqual(["missing", "child"]);
    expect(run.skipped[0]?.reason).toContain("no such runtime");
    expect(run.faults).toEqual([]);
  });

  test("a variant of the repository that does not start fails the bench", async () => {
    const broken = variant("broken", "throw new Error('wrong wiring')");
    await expect(runBench(benchOf(variant("bare", answerOk), broken), settings, runtime, goOn)).rejects.toThrow(
      "wrong wiring",
    );
  });

  test("called off, it measures no further and leaves no process behind", async () => {
    const directory = await mkdtemp(join(tmpdir(), "vitrine-bench-"));
    const pidFile = join(directory, "pid");
    const script = `await Bun.write(process.env.PID_FILE, String(process.pid)); ${answerOk}`;
    const bench = benchOf(variant("bare", script, { env: { PID_FILE: pidFile } }));
    const signal = AbortSignal.abort(new Error("called off"));
    await expect(runBench(bench, settings, runtime, { ...goOn, signal })).rejects.toThrow("called off");
    const pid = Number(await Bun.file(pidFile).text());
    expect(pid).toBeGreaterThan(1);
    expect(() => process.kill(pid, 0)).toThrow();
    await rm(directory, { recursive: true });
  });
});
