import { z } from "zod";

/** What a backup holds, a folder each. Traces are left out: Badger cannot be copied while it is written. */
export const parts = ["secrets", "postgres", "prometheus", "loki"] as const;

export type Part = (typeof parts)[number];

/** One of the two worlds a backup is made of, and put back into. */
export interface System {
  readonly name: SystemName;
  /** Those it has. */
  readonly parts: readonly Part[];
  /** @throws {SetupError} unless it runs: a backup is made while it works */
  checkRuns(): Promise<void>;
  /** Copies a part of the running system into a folder that is not there yet. */
  readonly save: Readonly<Record<Part, (to: string) => Promise<void>>>;
  /** Held while parts are replaced. @throws {SetupError} when the system runs */
  claim(): Promise<Disposable>;
  /** Puts a part in its place; returns where what was there lies now. */
  replace(part: Part, from: string, suffix: string): Promise<string | undefined>;
}

/** Whose secrets and addresses are in it: what one of them saved, the other cannot use. */
export const systemNames = ["desk", "compose"] as const;

export type SystemName = (typeof systemNames)[number];

const snapshot = z.object({ data: z.object({ name: z.string().regex(/^[\w-]+$/) }) });

/** Of what Prometheus answers when it has made a snapshot: links to what is on disk, and what was only in memory. */
export function snapshotName(answer: string): string {
  return snapshot.parse(JSON.parse(answer)).data.name;
}
