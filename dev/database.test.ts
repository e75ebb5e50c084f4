import { afterEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { databaseDir, databaseSpec } from "./database.ts";
import { type Layout, layoutOf, secretFile } from "./layout.ts";
import { findBinaries, isOpenTo, postgresUser } from "@vitrine/kit/testing/postgres-binaries";
import { readPorts } from "./ports.ts";
import { type Child, spawnGroup } from "./process-group.ts";
import { isAlive } from "./process-identity.ts";
import { ensureSecrets, readSecret, writeDerived } from "./secrets.ts";
import { Supervised } from "./supervised.ts";

const { uid } = userInfo();
const running: Supervised[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((database) => database.stop()));
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Place {
  readonly layout: Layout;
  readonly port: number;
}

/** Closed to everybody else, as a checkout in somebody's home is. */
async function makePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "vitrine-database-"));
  folders.push(folder);
  await chmod(folder, 0o700);
  const layout = layoutOf({ VITRINE_DIR: folder });
  const port = await freePort();
  await ensureSecrets(layout);
  await writeDerived(layout, { ...readPorts({}), postgres: port });
  return { layout, port };
}

function start({ layout, port }: Place, firstPauseMs = 10) {
  const children: Child[] = [];
  const lines: string[] = [];
  const database = new Supervised(databaseSpec({ layout, port, runnerUid: uid, onLine: (line) => lines.push(line) }), {
    clock: { now: () => performance.now(), sleep: (ms, signal) => sleep(ms, signal) },
    spawn: async (launch, onLine) => {
      const child = await spawnGroup(launch, onLine);
      children.push(child);
      return child;
    },
    report: () => undefined,
    limits: { pollMs: 10, firstPauseMs },
  });
  running.push(database);
  database.start();
  return { database, children, lines };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function query(place: Place, user: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const password =
    user === "postgres"
      ? await readSecret(place.layout, "postgres-password")
      : await readSecret(place.layout, `${user}-database-password`);
  await using sql = new Bun.SQL(`postgres://${user}:${password}@127.0.0.1:${place.port}/vitrine`, { max: 1 });
  return await sql.unsafe(text);
}

describe("the embedded PostgreSQL", () => {
  test("starts on nothing, with a role and a schema for each service", async () => {
    const place = await makePlace();
    const { database, lines } = start(place);
    expect(await database.settled, lines.join("\n")).toBe("ready");
    for (const service of ["auth", "orders", "inventory"]) {
      expect(await query(place, service, "select current_user::text as role, current_schema() as schema")).toEqual([
        { role: service, schema: service },
      ]);
    }
  }, 60_000);

  test("keeps each service out of the schema of the others", async () => {
    const place = await makePlace();
    const { database } = start(place);
    await database.settled;
    await query(place, "orders", "create table mine (id int)");
    await expect(query(place, "inventory", "select * from orders.mine")).rejects.toThrow("permission denied");
    await expect(query(place, "inventory", "create table public.shared (id int)")).rejects.toThrow("permission denied");
  }, 60_000);

  test("preloads pg_stat_statements, listens on loopback only, and takes no more memory than it was allowed", async () => {
    const place = await makePlace();
    const { database } = start(place);
    await database.settled;
    const [row] = await query(
      place,
      "postgres",
      `select current_setting('shared_preload_libraries') as preloaded, current_setting('listen_addresses') as addresses,
              current_setting('shared_buffers') as buffers,
              (select count(*)::int from pg_extension where extname = 'pg_stat_statements') as extension`,
    );
    expect(row).toEqual({ preloaded: "pg_stat_statements", addresses: "127.0.0.1", buffers: "32MB", extension: 1 });
  }, 60_000);

  test("keeps its data across an ordered stop", async () => {
    const place = await makePlace();
    const first = start(place);
    await first.database.settled;
    await query(place, "orders", "create table kept as select 42 as value");
    await first.database.stop();
    const second = start(place);
    expect(await second.database.settled, second.lines.join("\n")).toBe("ready");
    expect(await query(place, "orders", "select value from kept")).toEqual([{ value: 42 }]);
  }, 60_000);

  test("comes back by itself after kill -9, with what was committed", async () => {
    const place = await makePlace();
    const { database, children } = start(place);
    await database.settled;
    await query(place, "orders", "create table kept as select 42 as value");
    children[0]?.signal("SIGKILL");
    while (children.length < 2 || database.state !== "ready") await Bun.sleep(10);
    expect(await query(place, "orders", "select value from kept")).toEqual([{ value: 42 }]);
  }, 60_000);

  test("starts over a postmaster.pid whose number now belongs to a stranger", async () => {
    const place = await makePlace();
    const first = start(place);
    await first.database.settled;
    const pidFile = join(databaseDir(place.layout), "postmaster.pid");
    const text = await readFile(pidFile, "utf8");
    await first.database.stop();
    await using stranger = await strangerOfSameUser(place);
    await writeFile(pidFile, text.replace(/^\d+/, String(stranger.pid)), { mode: 0o644 });
    const second = start(place);
    expect(await second.database.settled, second.lines.join("\n")).toBe("ready");
    expect(isAlive(stranger)).toBe(true);
  }, 60_000);

  test("ends the server that a killed runner left on the same data, and takes its place", async () => {
    const place = await makePlace();
    // Its runner starts it no more, as if it had been killed.
    const left = start(place, 600_000);
    await left.database.settled;
    const next = start(place);
    expect(await next.database.settled, next.lines.join("\n")).toBe("ready");
    expect(await query(place, "auth", "select 1 as one")).toEqual([{ one: 1 }]);
  }, 60_000);

  test("made with other secrets, it says so instead of trying for ever", async () => {
    const place = await makePlace();
    const first = start(place);
    await first.database.settled;
    await first.database.stop();
    await rm(secretFile(place.layout, "postgres-password"));
    await ensureSecrets(place.layout);
    const second = start(place);
    expect(await second.database.settled).toBe("failed");
    expect(second.database.record.detail).toContain("bun run dev --reset");
  }, 60_000);

  test("a first start that was killed half way leaves nothing that looks whole", async () => {
    const place = await makePlace();
    const first = start(place);
    await first.database.settled;
    await first.database.stop();
    const data = databaseDir(place.layout);
    await rename(data, `${data}.new`);
    await rm(join(`${data}.new`, "base"), { recursive: true });
    const second = start(place);
    expect(await second.database.settled, second.lines.join("\n")).toBe("ready");
  }, 60_000);
});

/** A process that PostgreSQL may signal, so that it would hold it for a living server. */
async function strangerOfSameUser({ layout }: Place): Promise<Child & AsyncDisposable> {
  const user = await postgresUser(uid, databaseDir(layout));
  const child = await spawnGroup(
    { argv: ["sleep", "60"], cwd: "/", env: { PATH: "/usr/bin:/bin" }, ...(user === undefined ? {} : { user }) },
    () => undefined,
  );
  const end = async (): Promise<void> => {
    child.killAll();
    await child.exited;
  };
  return { ...child, [Symbol.asyncDispose]: end };
}

describe("whom PostgreSQL runs as", () => {
  test("everybody but root runs it as themselves", async () => {
    expect(await postgresUser(1000, "/nowhere")).toBeUndefined();
  });

  test("root lends it to an ordinary user", async () => {
    const user = await postgresUser(0, "/nowhere");
    expect(["postgres", "nobody"]).toContain(user?.name ?? "");
    expect(user?.uid).not.toBe(0);
  });

  test("a folder is open only when every folder above it is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "vitrine-open-"));
    folders.push(folder);
    const inner = join(folder, "inner");
    await mkdir(inner);
    const nobody = { name: "nobody", uid: 65_534, gid: 65_534 };
    await chmod(folder, 0o700);
    expect(await isOpenTo(nobody, inner)).toBe(false);
    await chmod(folder, 0o755);
    expect(await isOpenTo(nobody, inner)).toBe(true);
  });

  test("its programs are those of this platform", async () => {
    const { folder, version } = await findBinaries();
    expect(version).toMatch(/^\d+\.\d+\./);
    expect(await Bun.file(join(folder, "bin", "postgres")).exists()).toBe(true);
  });
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
