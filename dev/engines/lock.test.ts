import { expect, test } from "bun:test";
import { readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pid } from "node:process";
import { withLock } from "./lock.ts";
import { caught, temporaryDirectory } from "./testing.ts";

test("the second holder waits, is told who holds it, and goes on when the first is done", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "build.lock");
  const order: string[] = [];
  const waiting = Promise.withResolvers<number>();
  let second: Promise<void> | undefined;
  await withLock(path, {}, async () => {
    second = withLock(path, { pollMs: 1, onWait: waiting.resolve }, async () => void order.push("second"));
    expect(await waiting.promise).toBe(pid);
    order.push("first");
  });
  await second;
  expect(order).toEqual(["first", "second"]);
  expect(await readdir(directory.path)).toEqual([]);
});

test("of many that find the lock of a dead process exactly one at a time holds it", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "build.lock");
  const dead = Bun.spawn(["true"]);
  await dead.exited;
  await Bun.write(path, JSON.stringify({ token: "of the dead", pid: dead.pid }));
  let holders = 0;
  let most = 0;
  const hold = async (): Promise<void> => {
    holders += 1;
    most = Math.max(most, holders);
    await Bun.sleep(1);
    holders -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(path, { pollMs: 1 }, hold)));
  expect(most).toBe(1);
});

test("a lock that its living holder no longer renews is broken", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "build.lock");
  await Bun.write(path, JSON.stringify({ token: "forgotten", pid }));
  const old = new Date(Date.now() - 120_000);
  await utimes(path, old, old);
  expect(await withLock(path, { pollMs: 1 }, async () => "held")).toBe("held");
});

test("what is no lock of ours is broken", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "build.lock");
  await Bun.write(path, "");
  expect(await withLock(path, { pollMs: 1 }, async () => "held")).toBe("held");
});

test("waiting ends with the signal, and the lock is given back when the action fails", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "build.lock");
  const stop = new AbortController();
  const failed = withLock(path, {}, async () => {
    const waiting = withLock(path, { pollMs: 1, signal: stop.signal, onWait: () => stop.abort() }, async () => "held");
    throw await caught(waiting);
  });
  expect(await caught(failed)).toMatchObject({ name: "AbortError" });
  expect(await readdir(directory.path)).toEqual([]);
});
