import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Layout } from "./layout.ts";
import { bootId, isAlive, type ProcessIdentity } from "./process-identity.ts";

const kinds = ["database", "service", "engine"] as const;

export type ProcessKind = (typeof kinds)[number];

const states = [
  "waiting",
  /** An engine that is pulled or built. */
  "providing",
  "starting",
  "ready",
  /** Crashed; will be started again after a pause. */
  "restarting",
  "stopping",
  "stopped",
  /** Crashed too often, or cannot be provided: stays down until a file of it changes or the runner starts anew. */
  "failed",
] as const;

export type ProcessState = (typeof states)[number];

const lastExit = z.object({
  /** ISO 8601. */
  at: z.string(),
  code: z.int().nullable(),
  signal: z.string().nullable(),
});

const recordedProcess = z.object({
  name: z.string(),
  kind: z.enum(kinds),
  /** Null while it does not run. Each process leads a process group of the same number. */
  pid: z.int().nullable(),
  startTicks: z.number().nullable(),
  state: z.enum(states),
  /** How often it has crashed and been started again since the runner started. */
  restarts: z.int(),
  /** The last time it ended without having been told to. */
  lastExit: lastExit.optional(),
  /** Why it is not ready or has failed, for people. */
  detail: z.string().optional(),
});

export type RecordedProcess = Readonly<z.infer<typeof recordedProcess>>;

const runnerState = z.object({
  runnerPid: z.int(),
  runnerStartTicks: z.number(),
  bootId: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  /** By the names of `ports.ts`: the doctor and `bun run token` have other environments than the runner had. */
  ports: z.record(z.string(), z.int()),
  processes: z.array(recordedProcess),
});

/**
 * `.vitrine/run/state.json`: what runs now. It is replaced as a whole, so that a reader never sees half of it; it is
 * removed when the runner stops in order, and stays behind when the runner is killed.
 */
export type RunnerState = Readonly<z.infer<typeof runnerState>>;

/** A line of `.vitrine/run/events.jsonl`, which is kept across starts (the newest megabyte or so). */
export interface RunnerEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly event: "crashed" | "gave_up" | "ready" | "reloaded" | "stopped" | "leftover_killed" | "not_provided";
  readonly process: string;
  readonly pid?: number;
  readonly code?: number | null;
  readonly signal?: string | null;
  readonly restarts?: number;
  readonly detail?: string;
}

const maxEventBytes = 1_000_000;

export function stateFile(layout: Layout): string {
  return join(layout.run, "state.json");
}

/** Undefined when there is none, or none of this version. */
export function readState(layout: Layout): RunnerState | undefined {
  try {
    return runnerState.parse(JSON.parse(readFileSync(stateFile(layout), "utf8")));
  } catch {
    return undefined;
  }
}

/** The runner that works in this checkout now. */
export function livingRunner(state: RunnerState | undefined): ProcessIdentity | undefined {
  if (state === undefined || state.bootId !== bootId()) return undefined;
  const runner = { pid: state.runnerPid, startTicks: state.runnerStartTicks };
  return isAlive(runner) ? runner : undefined;
}

export function writeState(layout: Layout, state: RunnerState): void {
  mkdirSync(layout.run, { recursive: true });
  const draft = `${stateFile(layout)}.${randomUUID()}`;
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(draft, stateFile(layout));
}

export function removeState(layout: Layout): void {
  rmSync(stateFile(layout), { force: true });
}

export function appendEvent(layout: Layout, event: RunnerEvent): void {
  mkdirSync(layout.run, { recursive: true });
  const file = join(layout.run, "events.jsonl");
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxEventBytes) renameSync(file, `${file}.1`);
  appendFileSync(file, `${JSON.stringify(event)}\n`);
}
