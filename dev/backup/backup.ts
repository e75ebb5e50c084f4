import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Layout } from "../layout.ts";
import { SetupError } from "../setup-error.ts";
import { livingRunner, readState } from "../state.ts";
import { copyTree } from "./copy-tree.ts";
import { contentsOf, type Manifest, type Part, writeManifest } from "./manifest.ts";
import { backUpPostgres } from "./postgres.ts";

const snapshotSchema = z.object({ data: z.object({ name: z.string().regex(/^[\w-]+$/) }) });

export interface BackupOptions {
  readonly layout: Layout;
  /** Made; must not be there yet. */
  readonly folder: string;
  readonly now: Date;
}

/**
 * Copies what the running system keeps into a folder that is there whole or not at all, readable by its owner only: it
 * holds the secrets too, without which what is encrypted in the database could not be read.
 *
 * @throws {SetupError} when the system does not run
 */
export async function backUp({ layout, folder, now }: BackupOptions): Promise<Manifest> {
  const state = readState(layout);
  if (state === undefined || livingRunner(state) === undefined)
    throw new SetupError("The system does not run: start it with `bun run dev`; a backup is made while it works.");
  const port = (name: string): number => state.ports[name] ?? 0;
  const draft = `${folder}.draft`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    const place = (part: Part): string => join(draft, part);
    await backUpPostgres(layout, port("postgres"), place("postgres"));
    await backUpPrometheus(layout, port("prometheus"), place("prometheus"));
    await backUpLoki(layout, port("loki"), place("loki"));
    await copyTree(layout.secrets, place("secrets"));
    const manifest: Manifest = {
      version: 1,
      createdAt: now.toISOString(),
      parts: {
        postgres: await contentsOf(place("postgres")),
        prometheus: await contentsOf(place("prometheus")),
        loki: await contentsOf(place("loki")),
        secrets: await contentsOf(place("secrets")),
      },
    };
    await writeManifest(draft, manifest);
    await rename(draft, folder);
    return manifest;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** A snapshot is made of links to what is on disk, and of what was only in memory. */
async function backUpPrometheus(layout: Layout, port: number, to: string): Promise<void> {
  const answer = await post(`http://127.0.0.1:${port}/api/v1/admin/tsdb/snapshot`);
  const { data } = snapshotSchema.parse(await answer.json());
  const snapshot = join(layout.data, "prometheus/tsdb/snapshots", data.name);
  try {
    await copyTree(snapshot, to);
  } finally {
    await rm(snapshot, { recursive: true, force: true });
  }
}

/** What is not in a chunk yet is in the log, which Loki reads at its next start; lines that are in both are one. */
async function backUpLoki(layout: Layout, port: number, to: string): Promise<void> {
  await post(`http://127.0.0.1:${port}/flush`);
  await copyTree(join(layout.data, "loki"), to, { skip: (path) => path === "rules-tmp" });
}

async function post(url: string): Promise<Response> {
  const answer = await fetch(url, { method: "POST", signal: AbortSignal.timeout(60_000) });
  if (!answer.ok) throw new SetupError(`${url} answered ${answer.status}: ${await answer.text()}`);
  return answer;
}
