import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createDatabase, type Database } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { type Bucket, createThrottle, type Throttle, ThrottledError } from "./throttle.ts";

let database: Database;
let throttle: Throttle;
let clockMs = Date.now();

beforeAll(async () => {
  const { logger } = memoryLogger("auth");
  database = createDatabase({ url: (await startPostgres()).url, service: "auth", logger });
  await migrate(database, join(import.meta.dir, "../migrations"), logger);
  throttle = createThrottle(database, () => clockMs);
});

afterAll(() => database.close());

function bucket(rule: Partial<Bucket["rule"]> = {}): Bucket {
  const defaults = { free: 3, baseMs: 1_000, maxMs: 8_000, forgetMs: 60_000 };
  return { key: randomBytes(32), kind: "device", rule: { ...defaults, ...rule } };
}

/** Seconds to wait, or the counts when the attempt may be made. */
async function attempt(...buckets: readonly Bucket[]): Promise<string | readonly number[]> {
  return throttle.take(buckets).catch((error: unknown) => {
    if (error instanceof ThrottledError) return error.headers["retry-after"] ?? "none";
    throw error;
  });
}

describe("attempts", () => {
  test("are free at first, then wait twice as long each time up to a limit, never for good", async () => {
    const one = bucket();
    const waits: string[] = [];
    for (let count = 1; count <= 9; count += 1) {
      expect(await attempt(one)).toEqual([count]);
      if (count <= one.rule.free) continue;
      const wait = String(await attempt(one));
      waits.push(wait);
      clockMs += Number(wait) * 1_000;
    }
    expect(waits).toEqual(["1", "2", "4", "8", "8", "8"]);
  });

  test("that were refused neither count nor lengthen the delay", async () => {
    const one = bucket({ free: 1 });
    await attempt(one);
    await attempt(one);
    for (let count = 0; count < 20; count += 1) expect(await attempt(one)).toBe("1");
    clockMs += 1_000;
    expect(await attempt(one)).toEqual([3]);
  });

  test("made at once are as many as made one after the other", async () => {
    const one = bucket();
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => attempt(one)));
    expect(outcomes.filter((outcome) => typeof outcome !== "string")).toHaveLength(4);
  });

  test("are forgotten after a while without one", async () => {
    const one = bucket();
    for (let count = 0; count < 4; count += 1) await attempt(one);
    clockMs += 60_001;
    expect(await attempt(one)).toEqual([1]);
  });

  test("refused by one bucket are counted in none", async () => {
    const [free, full] = [bucket(), bucket({ free: 0 })];
    await attempt(full);
    await attempt(full);
    expect(typeof (await attempt(free, full))).toBe("string");
    expect(await attempt(free)).toEqual([1]);
  });

  test("that were right are forgiven", async () => {
    const [one, other] = [bucket(), bucket()];
    for (let count = 0; count < 4; count += 1) await attempt(one, other);
    await throttle.forgive(database, [one, other], [one]);
    expect(await attempt(one, other)).toEqual([1, 4]);
  });

  test("tell of a delay once, so that a flood makes no flood of events", async () => {
    const one = bucket({ free: 0 });
    await attempt(one);
    await attempt(one);
    const refusals = await Promise.all(
      Array.from({ length: 10 }, () => throttle.take([one]).catch((error: unknown) => error)),
    );
    expect(refusals.filter((error) => error instanceof ThrottledError && error.first).length).toBeLessThanOrEqual(1);
  });
});

test("what is long over is removed", async () => {
  const one = bucket();
  await attempt(one);
  clockMs += 3 * 86_400_000;
  await throttle.prune();
  expect(await database.query("select key from throttles where key = $1", [Buffer.from(one.key)])).toEqual([]);
});
