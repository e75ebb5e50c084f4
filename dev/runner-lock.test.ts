import { expect, test } from "bun:test";
import { pid } from "node:process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "./engines/testing.ts";
import { layoutOf } from "./layout.ts";
import { bootId, startTicksOf } from "./process-identity.ts";
import { acquireRunnerLock } from "./runner-lock.ts";

const me = { pid, startTicks: startTicksOf(pid) ?? 0 };

test("a second runner is told the process id of the first", async () => {
  await using directory = await temporaryDirectory();
  const layout = layoutOf({ VITRINE_DIR: directory.path });
  using first = acquireRunnerLock(layout, me);
  expect(first).toBeDefined();
  expect(() => acquireRunnerLock(layout, { pid: 1, startTicks: 1 })).toThrow(`as process ${pid}`);
});

test("the lock is free again once the runner has ended", async () => {
  await using directory = await temporaryDirectory();
  const layout = layoutOf({ VITRINE_DIR: directory.path });
  acquireRunnerLock(layout, me)[Symbol.dispose]();
  using second = acquireRunnerLock(layout, me);
  expect(second).toBeDefined();
});

test.each([
  ["of a runner that was killed", JSON.stringify({ pid, startTicks: me.startTicks + 1, bootId: bootId() })],
  ["of another boot", JSON.stringify({ ...me, bootId: "another" })],
  ["that is no lock", "{"],
  ["that is empty", ""],
])("a lock %s is taken over", async (_, text) => {
  await using directory = await temporaryDirectory();
  const layout = layoutOf({ VITRINE_DIR: directory.path });
  await mkdir(layout.run, { recursive: true });
  await writeFile(join(layout.run, "runner.lock"), text);
  using lock = acquireRunnerLock(layout, me);
  expect(lock).toBeDefined();
});
