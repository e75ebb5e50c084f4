import { expect, test } from "bun:test";
import type { BuildProgress } from "./build.ts";
import { describeProgress, ProgressLine } from "./progress-line.ts";

const compiling: BuildProgress = {
  engine: "loki",
  binary: "loki",
  phase: "compiling",
  done: 30,
  total: 120,
  elapsedMs: 61_400,
};

test("a line says which binary, how far, how long and what remains", () => {
  expect(describeProgress(compiling, ["jaeger"])).toBe("loki         compiling 30/120 packages 61 s then jaeger");
});

test("outside a terminal a tenth of the packages makes one line", () => {
  const lines: string[] = [];
  const line = new ProgressLine({ write: (text) => lines.push(text) });
  for (let done = 0; done <= 120; done += 1) line.show({ ...compiling, done }, []);
  expect(lines).toHaveLength(11);
});
