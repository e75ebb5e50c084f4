import { expect, test } from "bun:test";
import { runCommand } from "./run-command.ts";
import { caught, temporaryDirectory, writeProgram } from "./testing.ts";

test("lines of standard error arrive one by one, the last also without its end", async () => {
  const lines: string[] = [];
  const result = await runCommand(["sh", "-c", "printf 'a\\nb' >&2; echo out; exit 3"], {
    env: Bun.env,
    onErrorLine: (line) => lines.push(line),
  });
  expect(result).toEqual({ exitCode: 3, stdout: "out\n", stderr: "a\nb" });
  expect(lines).toEqual(["a", "b"]);
});

test("a program is looked up in the PATH it is given", async () => {
  await using directory = await temporaryDirectory();
  await writeProgram(directory.path, "go", "echo the fake one");
  expect((await runCommand(["go"], { env: { PATH: directory.path } })).stdout).toBe("the fake one\n");
});

test("the abort signal ends the children of the command too", async () => {
  const stop = new AbortController();
  // The child holds the command's output open: the call returns only once both are gone.
  const started = performance.now();
  const error = await caught(
    runCommand(["sh", "-c", "sleep 60 & echo started >&2; wait"], {
      env: Bun.env,
      signal: stop.signal,
      onErrorLine: () => stop.abort(),
    }),
  );
  expect(error).toMatchObject({ name: "AbortError" });
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("a command that takes longer than its timeout is ended", async () => {
  const result = await runCommand(["sleep", "60"], { env: Bun.env, timeoutMs: 20 });
  expect(result.exitCode).not.toBe(0);
});
