import { type ChildProcess, spawn } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { hasContainer } from "./containers.ts";
import { type PostgresContainer, postgresImage, startPostgresContainer } from "./postgres-container.ts";
import { binariesFor, postgresUser } from "./postgres-binaries.ts";

export interface TestPostgres {
  /** Address of an empty database of this caller's own, as a superuser. */
  readonly url: string;
  /** Runs statements one after the other, however long they take: to fill tables. */
  run(...statements: readonly string[]): Promise<void>;
  /** Stops the whole server as a crash would, and starts it again: for tests of an outage. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
}

interface Cluster {
  readonly port: number;
  readonly databaseDir: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

let shared: Promise<Cluster> | undefined;
let databases = 0;
const clusters: Cluster[] = [];
let container: PostgresContainer | undefined;

/**
 * A database on a real PostgreSQL, in a container where there is one and embedded otherwise. One server serves all test
 * files of a process and ends with it; pass `{ ownServer: true }` to a test that stops it: that one is embedded, since a
 * container would come back on another port.
 */
export async function startPostgres(options: { readonly ownServer?: boolean } = {}): Promise<TestPostgres> {
  const cluster =
    options.ownServer === true
      ? await startCluster()
      : await (shared ??= hasContainer(postgresImage).then((found) => (found ? startContainer() : startCluster())));
  databases += 1;
  const name = `test_${databases}`;
  await run(toUrl(cluster.port, "postgres"), [`create database ${name}`]);
  const url = toUrl(cluster.port, name);
  return {
    url,
    run: (...statements) => run(url, statements),
    stopServer: () => cluster.stop(),
    startServer: () => cluster.start(),
  };
}

async function run(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** Durability is not tested here, and many test files share the server. */
const settings = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "fsync=off",
  "shared_buffers=32MB",
  "max_connections=200",
];

async function startContainer(): Promise<Cluster> {
  const fixed = new Set(["listen_addresses", "unix_socket_directories"]);
  container = await startPostgresContainer(settings.filter((setting) => !fixed.has(setting.split("=")[0] ?? "")));
  const embeddedOnly = () => Promise.reject(new Error("a server that is shared is not stopped: ask for an own one"));
  return { port: container.port, databaseDir: "", start: embeddedOnly, stop: embeddedOnly };
}

async function startCluster(): Promise<Cluster> {
  const databaseDir = await mkdtemp(join(tmpdir(), "vitrine-postgres-"));
  const user = await postgresUser(userInfo().uid, databaseDir);
  const { initdb, postgres } = await binariesFor(user);
  if (user !== undefined) await chown(databaseDir, user.uid, user.gid);
  const identity = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  // On loopback and for the length of a test run only: whoever connects is let in.
  await finished(spawn(initdb, [`--pgdata=${databaseDir}`, "--username=postgres", "--auth=trust"], identity));
  const port = await freePort();
  let server: ChildProcess | undefined;
  const cluster: Cluster = {
    port,
    databaseDir,
    start: async () => {
      const options = settings.flatMap((setting) => ["-c", setting]);
      server = spawn(postgres, ["-D", databaseDir, "-p", String(port), ...options], identity);
      await readyToAccept(server);
    },
    stop: async () => {
      const stopping = server;
      server = undefined;
      if (stopping === undefined || stopping.exitCode !== null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      stopping.once("exit", () => resolve());
      stopping.kill("SIGINT");
      await promise;
    },
  };
  await cluster.start();
  clusters.push(cluster);
  return cluster;
}

async function finished(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stdout?.resume();
  child.once("error", reject);
  child.once("close", (code) => (code === 0 ? resolve() : reject(new Error(`initdb ended with ${code}: ${output}`))));
  await promise;
}

/** PostgreSQL says on stderr when it is ready; what it says otherwise is why it is not. */
async function readyToAccept(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let output = "";
  server.stdout?.resume();
  server.stderr?.on("data", (chunk: Buffer) => {
    output = `${output}${chunk.toString()}`.slice(-10_000);
    if (output.includes("database system is ready to accept connections")) resolve();
  });
  server.once("error", reject);
  server.once("exit", () => reject(new Error(`PostgreSQL did not start: ${output}`)));
  await promise;
}

/** Ends the servers of this process; `bunfig.toml` has it run after the last test file, since files share one server. */
export async function stopPostgres(): Promise<void> {
  shared = undefined;
  await container?.stop();
  container = undefined;
  for (const cluster of clusters.splice(0)) {
    await cluster.stop();
    await rm(cluster.databaseDir, { recursive: true, force: true });
  }
}

function toUrl(port: number, database: string): string {
  return `postgres://postgres:postgres@127.0.0.1:${port}/${database}`;
}

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer().on("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() =>
      typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port")),
    );
  });
  return promise;
}
