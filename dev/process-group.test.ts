import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { env, execPath } from "node:process";
import { until } from "@vitrine/kit/testing/eventually";
import { type Child, type Launch, spawnGroup } from "./process-group.ts";
import { isAlive, startTicksOf } from "./process-identity.ts";
import { caught } from "./engines/testing.ts";

const started: Child[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.killAll();
});

async function run(script: string, overrides: Partial<Launch> = {}) {
  const lines: string[] = [];
  const child = await spawnGroup(
    { argv: ["sh", "-c", script], cwd: "/", env: { PATH: env["PATH"] ?? "" }, ...overrides },
    (line) => lines.push(line),
  );
  started.push(child);
  return { child, lines };
}

describe("a process of its own group", () => {
  test("hands on every line of both streams, the last without an end too", async () => {
    const { child, lines } = await run("echo one; echo two >&2; printf 'three\\r\\n\\nlast'");
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(lines.sort()).toEqual(["last", "one", "three", "two"]);
  });

  test("keeps a character whole that arrives in two pieces", async () => {
    const { child, lines } = await run(`printf '\\303'; sleep 0.05; printf '\\251\\n'`);
    await child.exited;
    expect(lines).toEqual(["é"]);
  });

  test("cuts a line that does not end", async () => {
    const { child, lines } = await run("head -c 300000 /dev/zero | tr '\\0' x");
    await child.exited;
    expect(lines.every((line) => line.length <= 65_536)).toBe(true);
  });

  test("leads a session, which a terminal's Ctrl-C does not reach", async () => {
    const { child } = await run("sleep 60");
    const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    expect(fields.slice(2, 4)).toEqual([String(child.pid), String(child.pid)]);
  });

  test("gets the environment it is given and nothing more", async () => {
    const { child, lines } = await run("env", { env: { PATH: env["PATH"] ?? "", ONLY: "this" } });
    await child.exited;
    expect(lines.filter((line) => !/^(?:PATH|PWD|SHLVL|_)=/.test(line))).toEqual(["ONLY=this"]);
  });

  test("is ended together with all that it started", async () => {
    const { child, lines } = await run("trap '' TERM; sleep 60 & echo $!; wait");
    await until(() => lines.length > 0);
    const grandchild = Number(lines[0]);
    const startTicks = startTicksOf(grandchild) ?? 0;
    child.signal("SIGTERM");
    child.killAll();
    expect(await child.exited).toEqual({ code: null, signal: "SIGKILL" });
    await until(() => !isAlive({ pid: grandchild, startTicks }));
  });

  test("does not signal a stranger once it has ended", async () => {
    const { child } = await run("exit 3");
    expect(await child.exited).toEqual({ code: 3, signal: null });
    child.signal("SIGTERM");
  });

  test("that cannot be started is an error, not a crash of the runner", async () => {
    const fault = await caught(spawnGroup({ argv: ["/nowhere/program"], cwd: "/", env: {} }, () => undefined));
    expect(String(fault)).toContain("ENOENT");
  });

  test("a service does not outlive a runner that is killed", async () => {
    // It says its number itself: before it runs it watches over nobody.
    const runner = `
      const service = "console.log(process.pid); setInterval(() => {}, 1000);";
      Bun.spawn([process.execPath, "--no-orphans", "-e", service], { detached: true, stdout: "inherit" });
      setInterval(() => {}, 1000);`;
    const { child, lines } = await run("", { argv: [execPath, "-e", runner] });
    await until(() => lines.length > 0);
    const service = { pid: Number(lines[0]), startTicks: startTicksOf(Number(lines[0])) ?? -1 };
    expect(isAlive(service)).toBe(true);
    child.signal("SIGKILL");
    await until(() => !isAlive(service));
  });
});
