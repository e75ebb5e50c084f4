import { expect, test } from "bun:test";
import { cpuTicks, processUsage, residentBytes } from "./process-usage.ts";

test("CPU time is user plus system, whatever the process calls itself", () => {
  const tail = "S 1 2 3 0 -1 4194560 100 0 0 0 150 25 7 9 20 0 8 0 12345 1000 200";
  expect(cpuTicks(`4711 (bun) ${tail}`)).toBe(175);
  expect(cpuTicks(`4711 (a) b (c) ${tail}`)).toBe(175);
});

test("resident memory is read in bytes", () => {
  expect(residentBytes("Name:\tbun\nVmHWM:\t  2000 kB\nVmRSS:\t  1000 kB\n")).toBe(1_024_000);
});

test.if(process.platform === "linux")("a living process has memory, and its CPU time never runs back", async () => {
  const before = await processUsage(process.pid);
  const after = await processUsage(process.pid);
  expect(before?.residentBytes).toBeGreaterThan(1_000_000);
  expect(after?.cpuMicros ?? 0).toBeGreaterThanOrEqual(before?.cpuMicros ?? Number.POSITIVE_INFINITY);
});

test("a process that is gone has no usage", async () => {
  const gone = Bun.spawn(["true"]);
  await gone.exited;
  expect(await processUsage(gone.pid)).toBeUndefined();
});
