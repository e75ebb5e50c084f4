import { expect, test } from "bun:test";
import { pid } from "node:process";
import { temporaryDirectory } from "./engines/testing.ts";
import { layoutOf } from "./layout.ts";
import { readPorts } from "./ports.ts";
import { bootId, startTicksOf } from "./process-identity.ts";
import { runningPorts } from "./running-ports.ts";
import { writeState } from "./state.ts";

test("a system is found on the ports its runner was told, until that runner is gone", async () => {
  await using directory = await temporaryDirectory();
  const layout = layoutOf({ VITRINE_DIR: directory.path });
  const moved = readPorts({ PORT_OFFSET: "300" });
  expect(runningPorts(layout, {})).toEqual(readPorts({}));
  const state = { bootId: bootId(), startedAt: new Date(0).toISOString(), ports: moved, processes: [] };
  const runnerStartTicks = startTicksOf(pid) ?? 0;
  writeState(layout, { ...state, runnerPid: pid, runnerStartTicks });
  expect(runningPorts(layout, {})).toEqual(moved);
  writeState(layout, { ...state, runnerPid: pid, runnerStartTicks: runnerStartTicks + 1 });
  expect(runningPorts(layout, { PORT_OFFSET: "7" })).toEqual(readPorts({ PORT_OFFSET: "7" }));
});
