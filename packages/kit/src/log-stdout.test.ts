import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStdout } from "./log-stdout.ts";

/** Processes of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

const program = (end: string) => `
  const { openStdout } = await import(${JSON.stringify(join(import.meta.dir, "log-stdout.ts"))});
  const stdout = openStdout(() => undefined);
  for (let n = 0; n < 1000; n++) stdout.write("line " + n + "\\n");
  ${end}
`;

describe("buffered stdout", () => {
  test.each([
    ["ends by itself", "", 0],
    ["exits once it is flushed", "stdout.flush(() => process.exit(3));", 3],
  ])("has every line of a process that %s", async (_, end, code) => {
    const child = Bun.spawn([process.execPath, "-e", program(end)], { env: {}, stdout: "pipe", stderr: "ignore" });
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(code);
    expect(text.trimEnd().split("\n")).toEqual(Array.from({ length: 1_000 }, (_, n) => `line ${n}`));
  });

  test("holds a bounded number of bytes while nobody reads, and tells how many lines that cost", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vitrine-stdout-"));
    const told = Promise.withResolvers<number>();
    const file = join(folder, "out");
    const stdout = openStdout(told.resolve, file);
    // Nothing can be written before this turn of the event loop ends.
    for (let n = 0; n < 6_000; n++) stdout.write(`${"x".repeat(1_023)}\n`);
    const dropped = await told.promise;
    expect(dropped).toBeGreaterThan(1_800);
    expect(dropped).toBeLessThan(2_000);
    expect((await Bun.file(file).text()).length).toBe((6_000 - dropped) * 1_024);
    await rm(folder, { recursive: true });
  });
});
