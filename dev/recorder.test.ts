import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { temporaryDirectory } from "./engines/testing.ts";
import { layoutOf } from "./layout.ts";
import { createOutput } from "./output.ts";
import { readPorts } from "./ports.ts";
import { bootId, startTicksOf } from "./process-identity.ts";
import { createRecorder } from "./recorder.ts";
import { Stack } from "./stack.ts";
import { livingRunner, readState, stateFile } from "./state.ts";
import { fakeSpawn, fakeSpec, ManualClock, settle } from "./testing.ts";

async function build(folder: string) {
  const layout = layoutOf({ VITRINE_DIR: folder });
  const clock = new ManualClock();
  let text = "";
  const output = createOutput({ write: (part) => (text += part), color: false, requests: true });
  const ports = readPorts({ GATEWAY_PORT: "9999" });
  const logFile = (name: string): string => `/logs/${name}.log`;
  const recorder = createRecorder({ layout, ports, world: { pid, clock }, output, logFile });
  const { spawn, children } = fakeSpawn();
  const stack = new Stack({ spawn, clock, report: recorder.report });
  recorder.follow(stack);
  stack.add(fakeSpec("orders"));
  await settle();
  const events = (): readonly Record<string, unknown>[] =>
    readFileSync(join(layout.run, "events.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { layout, clock, children, recorder, events, text: () => text };
}

test("what runs is on record, with what tells it from a stranger of the same pid", async () => {
  await using directory = await temporaryDirectory();
  const { layout } = await build(directory.path);
  const state = readState(layout);
  expect(state).toMatchObject({
    runnerPid: pid,
    runnerStartTicks: startTicksOf(pid) ?? 0,
    bootId: bootId(),
    startedAt: "2026-01-01T00:00:00.000Z",
    ports: { gateway: 9999 },
    processes: [{ name: "orders", kind: "service", pid: 1000, startTicks: 1, state: "ready", restarts: 0 }],
  });
  expect(livingRunner(state)).toEqual({ pid, startTicks: startTicksOf(pid) ?? 0 });
});

test("a crash is on record and told, and so is giving up", async () => {
  await using directory = await temporaryDirectory();
  const { layout, clock, children, events, text } = await build(directory.path);
  children[0]?.exit(null, "SIGKILL");
  await settle();
  expect(readState(layout)?.processes[0]).toMatchObject({
    pid: null,
    state: "restarting",
    lastExit: { at: "2026-01-01T00:00:00.000Z", code: null, signal: "SIGKILL" },
  });
  expect(text()).toContain("orders was ended by SIGKILL; it starts again in 0.5 s");
  for (let crash = 0; crash < 4; crash += 1) {
    await clock.advance(5_000);
    children.at(-1)?.exit(1);
  }
  await settle();
  expect(events().map(({ event }) => event)).toEqual([
    ...Array.from({ length: 5 }, () => ["ready", "crashed"]).flat(),
    "gave_up",
  ]);
  expect(events()[1]).toEqual({
    at: "2026-01-01T00:00:00.000Z",
    event: "crashed",
    process: "orders",
    code: null,
    signal: "SIGKILL",
    restarts: 1,
  });
  expect(readState(layout)?.processes[0]).toMatchObject({ state: "failed", restarts: 4, lastExit: { code: 1 } });
  expect(text()).toContain("orders is left down: crashed 5 times within 60 s. Read /logs/orders.log, mend it");
});

test("after an ordered stop there is no state, only what happened", async () => {
  await using directory = await temporaryDirectory();
  const { layout, recorder, events } = await build(directory.path);
  recorder.close();
  expect(existsSync(stateFile(layout))).toBe(false);
  expect(readState(layout)).toBeUndefined();
  expect(events()).toHaveLength(1);
});
