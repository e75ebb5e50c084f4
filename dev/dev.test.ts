import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env, execPath } from "node:process";
import { databaseDir } from "./database.ts";
import { layoutOf, type Layout } from "./layout.ts";
import { type Child, spawnGroup } from "./process-group.ts";
import { isAlive, type ProcessIdentity } from "./process-identity.ts";
import { readState } from "./state.ts";

const cli = join(import.meta.dir, "cli.ts");
const runners: Runner[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const { child } of runners.splice(0)) {
    child.signal("SIGTERM");
    await child.exited;
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Runner {
  readonly child: Child;
  readonly output: () => string;
  /** Resolves when it has printed this. */
  readonly told: (words: string) => Promise<void>;
}

interface Checkout {
  readonly layout: Layout;
  readonly port: number;
}

async function makeCheckout(): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), "vitrine-dev-"));
  folders.push(folder);
  return { layout: layoutOf({ VITRINE_DIR: folder }), port: await freePort() };
}

/** The real runner with the database alone, which is the process that is hardest to start, stop and find again. */
async function run({ layout, port }: Checkout, ...args: readonly string[]): Promise<Runner> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const child = await spawnGroup(
    {
      argv: [execPath, cli, "dev", "--only=postgres", ...args],
      cwd: layout.repoRoot,
      env: { PATH: env["PATH"] ?? "", VITRINE_DIR: layout.root, POSTGRES_PORT: String(port) },
    },
    (line) => {
      lines.push(line);
      for (const look of waiting) look();
    },
  );
  const output = (): string => lines.join("\n");
  const told = (words: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output().includes(words)) resolve();
      };
      waiting.add(look);
      look();
      void child.exited.then(() => reject(new Error(`It ended without saying "${words}":\n${output()}`)));
    });
  const runner = { child, output, told };
  runners.push(runner);
  return runner;
}

function databaseOf({ layout }: Checkout): ProcessIdentity {
  const { pid, startTicks } = readState(layout)?.processes.find(({ name }) => name === "postgres") ?? {};
  if (typeof pid !== "number" || typeof startTicks !== "number") throw new Error("no database is recorded");
  return { pid, startTicks };
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s stops everything and leaves nothing behind but data",
  async (signal) => {
    const checkout = await makeCheckout();
    const runner = await run(checkout);
    await runner.told("Everything is ready");
    const database = databaseOf(checkout);
    expect(isAlive(database)).toBe(true);
    runner.child.signal(signal);
    expect(await runner.child.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(database)).toBe(false);
    expect(readState(checkout.layout)).toBeUndefined();
    expect(readFileSync(join(databaseDir(checkout.layout), "PG_VERSION"), "utf8").trim()).toBe("18");
  },
  30_000,
);

test("after kill -9 the next start ends what was left and works on the same data", async () => {
  const checkout = await makeCheckout();
  const killed = await run(checkout);
  await killed.told("Everything is ready");
  const left = databaseOf(checkout);
  killed.child.signal("SIGKILL");
  await killed.child.exited;
  expect(isAlive(left)).toBe(true);
  const next = await run(checkout);
  await next.told("Everything is ready");
  expect(next.output()).toContain("ended what a killed runner left behind: postgres");
  expect(isAlive(left)).toBe(false);
}, 60_000);

test("a second runner is refused with the number of the first, which goes on", async () => {
  const checkout = await makeCheckout();
  const first = await run(checkout);
  await first.told("Everything is ready");
  const second = await run(checkout);
  expect(await second.child.exited).toEqual({ code: 1, signal: null });
  expect(second.output()).toContain(`as process ${first.child.pid}`);
  expect(isAlive(databaseOf(checkout))).toBe(true);
}, 60_000);

test("a second checkout is told which port is taken, by whom, and which variable changes it", async () => {
  const first = await makeCheckout();
  const runner = await run(first);
  await runner.told("Everything is ready");
  const second = await run({ ...(await makeCheckout()), port: first.port });
  expect(await second.child.exited).toEqual({ code: 1, signal: null });
  expect(second.output()).toContain(`Port ${first.port}, which postgres needs, is in use by process`);
  expect(second.output()).toContain("POSTGRES_PORT");
}, 60_000);

test("--reset forgets data and secrets, and says so", async () => {
  const checkout = await makeCheckout();
  const first = await run(checkout);
  await first.told("Everything is ready");
  first.child.signal("SIGTERM");
  await first.child.exited;
  const password = readFileSync(join(checkout.layout.secrets, "postgres-password"), "utf8");
  const second = await run(checkout, "--reset");
  await second.told("Everything is ready");
  expect(second.output()).toContain(`forgot ${checkout.layout.data} and ${checkout.layout.secrets}`);
  expect(readFileSync(join(checkout.layout.secrets, "postgres-password"), "utf8")).not.toBe(password);
}, 60_000);

test("a flag that does not exist is refused with code 2", async () => {
  const runner = await run(await makeCheckout(), "--verbose");
  expect(await runner.child.exited).toEqual({ code: 2, signal: null });
  expect(runner.output()).toBe("Unknown option '--verbose'. See --help.");
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
