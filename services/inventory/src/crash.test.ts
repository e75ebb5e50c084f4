import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { reservation } from "@vitrine/contracts/inventory";
import { createDatabase, type Database } from "@vitrine/kit/postgres";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { freePort, startPostgres, type TestPostgres } from "@vitrine/kit/testing/postgres";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import { until } from "@vitrine/kit/testing/eventually";

let postgres: TestPostgres;
let database: Database;
let keys: Bun.Server<undefined>;
let authorization: string;

beforeAll(async () => {
  const issuer = await createTestIssuer();
  postgres = await startPostgres({ ownServer: true });
  database = createDatabase({ url: postgres.url, service: "test", logger: memoryLogger().logger });
  keys = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => issuer.jwksFetch("") });
  authorization = `Bearer ${await issuer.sign("inventory:read inventory:write", { sub: "orders" })}`;
});
afterAll(async () => {
  await database.close();
  await keys.stop(true);
});

/** The service as a process of its own, until it answers. */
async function start(port: number) {
  const child = Bun.spawn([process.execPath, "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"], {
    cwd: join(import.meta.dir, ".."),
    env: {
      PATH: process.env["PATH"] ?? "",
      OTEL_SDK_DISABLED: "true",
      PORT: String(port),
      DATABASE_URL: postgres.url,
      AUTH_URL: keys.url.href,
      SWEEP_INTERVAL_MS: "100",
    },
    stdout: "ignore",
    stderr: "ignore",
  });
  while ((await call(port, "GET", "?limit=1"))?.status !== 200) {
    if (child.exitCode !== null) throw new Error(`inventory ended with ${child.exitCode}`);
    await Bun.sleep(20);
  }
  return child;
}

async function call(port: number, method: string, path: string, body?: unknown) {
  return await fetch(`http://127.0.0.1:${port}/api/inventory${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => undefined);
}

interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly at: number;
}

/** Workers that reserve one piece after the other until told to stop. */
function startLoad(port: number, pieceId: string, workers: number) {
  /** Reservations whose answer came: what inventory has promised. */
  const promised: string[] = [];
  const answers: Answered[] = [];
  let over = false;
  const working = Array.from({ length: workers }, async () => {
    while (!over) {
      const id = crypto.randomUUID();
      const answer = await call(port, "POST", "/reservations", { id, pieceId, quantity: 1, expiresInSeconds: 3_600 });
      if (answer?.status === 201) promised.push(id);
      if (answer === undefined) continue;
      answers.push({ status: answer.status, retryAfter: answer.headers.get("retry-after"), at: performance.now() });
      await answer.body?.cancel();
    }
  });
  return {
    promised,
    answers,
    stop: async () => {
      over = true;
      await Promise.all(working);
    },
  };
}

async function isConsistent(pieceId: string, promised: readonly string[]) {
  const [row] = await database.query<{ sums: boolean; held: boolean; kept: number }>(
    `select (s.available, s.reserved) = (select sum(available_delta), sum(reserved_delta) from movements where piece_id = $1) as sums,
       s.reserved = (select coalesce(sum(quantity), 0) from reservations where piece_id = $1 and status = 'held') as held,
       (select count(*)::int from reservations where id = any($2) and status = 'held') as kept
     from stock s where piece_id = $1`,
    [pieceId, promised],
  );
  expect(row).toEqual({ sums: true, held: true, kept: promised.length });
}

describe("inventory as a process", () => {
  test("killed in the middle of its work loses no reservation it promised, halves none, and lets expired ones go", async () => {
    const port = await freePort();
    const first = await start(port);
    await call(port, "POST", "/piece-1/restock", { quantity: 10_000 });
    const expiring = crypto.randomUUID();
    await call(port, "POST", "/reservations", {
      id: expiring,
      pieceId: "piece-1",
      quantity: 5,
      expiresInSeconds: 3_600,
    });
    const load = startLoad(port, "piece-1", 16);
    await until(() => load.promised.length > 200);
    first.kill("SIGKILL");
    await first.exited;
    await load.stop();
    await database.query("update reservations set expires_at = now() where id = $1", [expiring]);
    const second = await start(port);
    await until(async () => {
      const answer = await call(port, "GET", `/reservations/${expiring}`);
      return answer !== undefined && reservation.parse(await answer.json()).status === "expired";
    });
    await isConsistent("piece-1", load.promised);
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
  }, 60_000);

  test("answers 503 with Retry-After while PostgreSQL restarts under load, nothing worse, and recovers by itself", async () => {
    const port = await freePort();
    const child = await start(port);
    await call(port, "POST", "/piece-2/restock", { quantity: 10_000 });
    const load = startLoad(port, "piece-2", 8);
    const answers = (status: number, after = 0) =>
      load.answers.filter((one) => one.status === status && one.at > after);
    await until(() => load.promised.length > 100);
    const downAt = performance.now();
    await postgres.stopServer();
    await until(() => answers(503).length > 20);
    await postgres.startServer();
    // Connections that broke unseen are found out by the next who use them: each is replaced at its first use.
    await until(() => answers(201, answers(503).at(-1)?.at).length > 500);
    await load.stop();
    expect(new Set(load.answers.map(({ status }) => status))).toEqual(new Set([201, 503]));
    expect(answers(503).every(({ retryAfter }) => Number(retryAfter) > 0)).toBe(true);
    expect(answers(503)[0]?.at).toBeGreaterThan(downAt);
    await isConsistent("piece-2", load.promised);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  }, 60_000);
});
