import { expect, test } from "bun:test";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "./engines/testing.ts";
import { openLogFile } from "./log-file.ts";

test("a log file begins anew at a start, and only its owner may read it", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "logs", "orders.log");
  openLogFile(path).close();
  await writeFile(path, "of the last start");
  const log = openLogFile(path);
  log.append("one");
  log.append("zwei");
  log.close();
  expect(await readFile(path, "utf8")).toBe("one\nzwei\n");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test("a log file that is full makes room, keeping the lines before", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "orders.log");
  const log = openLogFile(path, 100);
  for (let line = 0; line < 100; line += 1) log.append(`line ${line}`);
  log.close();
  const [now, before] = await Promise.all([readFile(path, "utf8"), readFile(`${path}.1`, "utf8")]);
  expect(now.endsWith("line 99\n")).toBe(true);
  expect(now.length + before.length).toBeLessThan(250);
  expect(before.split("\n").length + now.split("\n").length).toBeGreaterThan(12);
});

test("after it is closed, lines go nowhere and do no harm", async () => {
  await using directory = await temporaryDirectory();
  const log = openLogFile(join(directory.path, "orders.log"));
  log.close();
  log.append("late");
  log.close();
  expect(await readFile(join(directory.path, "orders.log"), "utf8")).toBe("");
});
