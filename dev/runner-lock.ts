import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Layout } from "./layout.ts";
import { bootId, isAlive } from "./process-identity.ts";
import { codeOf, SetupError } from "./setup-error.ts";

const holderSchema = z.object({ pid: z.int(), startTicks: z.number(), bootId: z.string() });

type Holder = Readonly<z.infer<typeof holderSchema>>;

/**
 * One runner per checkout. The lock of a runner that is gone, or of another boot, is taken over.
 *
 * @throws {SetupError} naming the runner that works here
 */
export function acquireRunnerLock(
  layout: Layout,
  me: { readonly pid: number; readonly startTicks: number },
): Disposable {
  mkdirSync(layout.run, { recursive: true });
  const path = join(layout.run, "runner.lock");
  const mine: Holder = { pid: me.pid, startTicks: me.startTicks, bootId: bootId() };
  while (!tryCreate(path, mine)) {
    const holder = readHolder(path);
    if (holder !== undefined && holder.bootId === mine.bootId && isAlive(holder))
      throw new SetupError(
        `Vitrine already runs from this checkout, as process ${holder.pid}: end it there with Ctrl-C, or with \`kill ${holder.pid}\`.`,
      );
    breakLock(path, holder);
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** Linked into place whole, so that nobody reads a lock that is still empty. */
function tryCreate(path: string, holder: Holder): boolean {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(holder));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Moved away before it is removed: of two that found it stale, the slower must not remove the lock of the faster. */
function breakLock(path: string, stale: Holder | undefined): void {
  const grave = `${path}.${randomUUID()}`;
  try {
    renameSync(path, grave);
    const moved = readHolder(grave);
    if (moved?.pid !== stale?.pid || moved?.startTicks !== stale?.startTicks) linkSync(grave, path);
  } catch {
    // Another was faster; the next try finds what is there now.
  } finally {
    rmSync(grave, { force: true });
  }
}
