import { expect, test } from "bun:test";
import { env } from "node:process";
import { launchersOf, type ProcessTable, watchLaunchers } from "./launchers.ts";
import { spawnGroup } from "./process-group.ts";

/** The ancestors of process 100, nearest first. */
function ancestors(...commands: readonly string[]): ProcessTable {
  return {
    parentOf: (pid) => (pid - 100 < commands.length ? pid + 1 : 1),
    commandLineOf: (pid) => commands[pid - 101],
    startTicksOf: (pid) => pid * 10,
  };
}

test.each([
  ["bun run dev from a shell", ["bun run dev", "-bash", "sshd"], 1],
  ["npx", ["bun run dev", "sh -c 'bun' run dev", "npm exec bun@1.4.5 run dev", "bash"], 3],
  ["the script of npm's package", ["/x/bun.exe run dev --reset", "node /x/.bin/bun run dev", "npx", "zsh"], 3],
  ["bun dev", ["bun dev", "fish"], 1],
  ["a shell that was left on purpose", ["bun run dev", "sh -c bun run dev &"], 1],
  ["the runner itself from a shell", ["bash -c bun dev/cli.ts dev", "sshd"], 0],
  ["a test that starts the runner", ["bun test tests/stack", "bash"], 0],
  ["an editor", ["/usr/share/code/code --type=terminal", "systemd"], 0],
] as const)("started by %s", (_, commands, count) => {
  const found = launchersOf(100, ancestors(...commands));
  expect(found.map(({ pid }) => pid)).toEqual(Array.from({ length: count }, (__, index) => 101 + index));
});

test("it is told once when one of them is gone", async () => {
  const launcher = await spawnGroup(
    { argv: ["sleep", "60"], cwd: "/", env: { PATH: env["PATH"] ?? "" } },
    () => undefined,
  );
  const gone = Promise.withResolvers<void>();
  let told = 0;
  using watcher = watchLaunchers(
    [launcher],
    () => {
      told += 1;
      gone.resolve();
    },
    5,
  );
  expect(watcher).toBeDefined();
  launcher.killAll();
  await gone.promise;
  await Bun.sleep(20);
  expect(told).toBe(1);
});
