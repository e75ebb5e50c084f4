import { expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryDirectory } from "../engines/testing.ts";
import { readProcesses } from "./processes.ts";
import { renderReport, toReport } from "./report.ts";

test("a process that the runner has given up is told with the reason, and with what starts it again", async () => {
  await using directory = await temporaryDirectory();
  const failed = {
    name: "prometheus",
    kind: "engine",
    pid: null,
    state: "failed",
    restarts: 1,
    detail: "no space left",
  };
  const waiting = {
    name: "loki",
    kind: "engine",
    pid: null,
    state: "starting",
    restarts: 0,
    detail: "its own recovery",
  };
  await Bun.write(join(directory.path, "state.json"), JSON.stringify({ processes: [failed, waiting] }));
  const processes = await readProcesses(directory.path);
  expect(processes.map(({ gaveUp }) => gaveUp)).toEqual(["no space left", null]);
  const text = renderReport(toReport([], processes));
  expect(text).toContain("given up: no space left. When that is mended, end `bun run dev` and start it again");
  expect(text).not.toContain("its own recovery");
});
