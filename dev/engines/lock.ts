import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { kill, pid } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once if another holder has to be waited for. */
  readonly onWait?: (holder: number) => void;
  readonly pollMs?: number;
  /** A living holder renews its lock every `staleAfterMs / 6`; one older than this is broken. */
  readonly staleAfterMs?: number;
}

const holderSchema = z.object({ token: z.string(), pid: z.int() });

type Holder = Readonly<z.infer<typeof holderSchema>>;

/**
 * Runs the action while holding a lock file that other processes of this machine respect. A lock whose process is
 * dead, or that was not renewed for a minute (its pid now belongs to a stranger), is broken.
 */
export async function withLock<T>(path: string, options: LockOptions, action: () => Promise<T>): Promise<T> {
  const staleAfterMs = options.staleAfterMs ?? 60_000;
  const token = await acquire(path, staleAfterMs, options);
  const renewal = setInterval(() => void renew(path), staleAfterMs / 6);
  renewal.unref();
  try {
    return await action();
  } finally {
    clearInterval(renewal);
    const holder = await readHolder(path);
    if (holder?.token === token) await rm(path, { force: true });
  }
}

async function acquire(path: string, staleAfterMs: number, options: LockOptions): Promise<string> {
  const token = randomUUID();
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await tryCreate(path, { token, pid }))) {
    options.signal?.throwIfAborted();
    const holder = await readHolder(path);
    if (holder === undefined) continue;
    if (await isStale(path, holder, staleAfterMs)) {
      await breakLock(path, holder);
      continue;
    }
    if (!told) options.onWait?.(holder.pid);
    told = true;
    await sleep(options.pollMs ?? 250, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  return token;
}

async function tryCreate(path: string, holder: Holder): Promise<boolean> {
  // Linked into place whole, so that nobody reads a lock that is still empty.
  const draft = `${path}.${holder.token}`;
  await writeFile(draft, JSON.stringify(holder));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Undefined when there is no lock any more; what is no lock of ours counts as one of a dead process. */
async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = holderSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : { token: text, pid: 0 };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function isStale(path: string, holder: Holder, staleAfterMs: number): Promise<boolean> {
  if (!isAlive(holder.pid)) return true;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleAfterMs;
}

function isAlive(holder: number): boolean {
  if (holder <= 0) return false;
  try {
    return kill(holder, 0);
  } catch (error) {
    // EPERM: the process lives and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Moved away before it is removed: of two that found it stale only one gets it. */
async function breakLock(path: string, stale: Holder): Promise<void> {
  const grave = `${path}.${randomUUID()}`;
  try {
    await rename(path, grave);
    const moved = await readHolder(grave);
    // Somebody broke it and took it between our look and our move: give it back.
    if (moved?.token !== stale.token) await link(grave, path);
  } catch {
    // Another was faster; the next round finds what is there now.
  } finally {
    await rm(grave, { force: true });
  }
}

async function renew(path: string): Promise<void> {
  const now = new Date();
  // A lock that cannot be renewed only goes stale sooner.
  await utimes(path, now, now).catch(() => undefined);
}
