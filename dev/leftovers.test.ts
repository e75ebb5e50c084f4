import { afterEach, expect, test } from "bun:test";
import { env } from "node:process";
import { endLeftovers } from "./leftovers.ts";
import { type Child, spawnGroup } from "./process-group.ts";
import { bootId, isAlive } from "./process-identity.ts";
import type { RecordedProcess, RunnerState } from "./state.ts";

const started: Child[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.killAll();
});

const clock = { now: () => performance.now(), sleep: (ms: number) => Bun.sleep(ms) };

async function stranger(script = "sleep 60"): Promise<Child> {
  const lines: string[] = [];
  const child = await spawnGroup(
    { argv: ["sh", "-c", `${script} & echo up; wait`], cwd: "/", env: { PATH: env["PATH"] ?? "" } },
    (line) => lines.push(line),
  );
  started.push(child);
  while (lines.length === 0) await Bun.sleep(5);
  return child;
}

function stateWith(process: Partial<RecordedProcess>, boot = bootId()): RunnerState {
  return {
    runnerPid: 1,
    runnerStartTicks: 1,
    bootId: boot,
    startedAt: "2026-01-01T00:00:00.000Z",
    ports: {},
    processes: [{ name: "loki", kind: "engine", state: "ready", restarts: 0, pid: null, startTicks: null, ...process }],
  };
}

async function endedOf(state: RunnerState | undefined): Promise<readonly string[]> {
  const ended: string[] = [];
  await endLeftovers(state, clock, ({ name }) => ended.push(name));
  return ended;
}

test("what a killed runner left behind is ended", async () => {
  const child = await stranger();
  expect(await endedOf(stateWith(child))).toEqual(["loki"]);
  expect(isAlive(child)).toBe(false);
});

test("a process that got the pid of one of ours is left alone", async () => {
  const child = await stranger();
  expect(await endedOf(stateWith({ pid: child.pid, startTicks: child.startTicks + 1 }))).toEqual([]);
  expect(isAlive(child)).toBe(true);
});

test("after another boot nothing is touched, since start times begin anew", async () => {
  const child = await stranger();
  expect(await endedOf(stateWith(child, "another boot"))).toEqual([]);
  expect(isAlive(child)).toBe(true);
});

test("without a former state, or with one of processes that are gone, there is nothing to do", async () => {
  expect(await endedOf(undefined)).toEqual([]);
  expect(await endedOf(stateWith({ pid: 2 ** 22 - 1, startTicks: 5 }))).toEqual([]);
});
