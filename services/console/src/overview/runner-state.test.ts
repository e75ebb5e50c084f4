import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRunnerState } from "./runner-state.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "vitrine-console-"));
});
afterAll(() => rm(directory, { recursive: true }));

test("what the runner still builds or starts is told in its own words; what is ready is not", async () => {
  const file = join(directory, "state.json");
  const processes = [
    { name: "loki", state: "providing", detail: "building 42%" },
    { name: "jaeger", state: "starting" },
    { name: "prometheus", state: "ready" },
  ];
  await Bun.write(file, JSON.stringify({ processes }));
  expect(await readRunnerState(file)).toEqual([
    { name: "loki", words: "building 42%" },
    { name: "jaeger", words: "starting" },
  ]);
});

test("no runner, no file, or half of one is nothing to tell", async () => {
  expect(await readRunnerState(undefined)).toEqual([]);
  expect(await readRunnerState(join(directory, "none.json"))).toEqual([]);
  const half = join(directory, "half.json");
  await Bun.write(half, '{"processes":[{"na');
  expect(await readRunnerState(half)).toEqual([]);
});
