import { chown, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asSuperuser } from "../database-roles.ts";
import { databaseDir } from "../database.ts";
import type { Layout } from "../layout.ts";
import { acquireRunnerLock } from "../runner-lock.ts";
import { readSecret } from "../secrets.ts";
import { SetupError } from "../setup-error.ts";
import { livingRunner, readState } from "../state.ts";
import { copyTree, replaceTree } from "./copy-tree.ts";
import { isLeftBehind, savePostgres } from "./postgres.ts";
import { type Part, parts, snapshotName, type System } from "./system.ts";

/** What `bun run dev` starts. */
export function deskSystem(layout: Layout, me: { readonly pid: number; readonly startTicks: number }): System {
  const url = (name: string, path: string): string => `http://127.0.0.1:${readState(layout)?.ports[name]}${path}`;
  return {
    name: "desk",
    parts,
    checkRuns: () => {
      const state = readState(layout);
      if (state === undefined || livingRunner(state) === undefined)
        throw new SetupError("The system does not run: start it with `bun run dev`; a backup is made while it works.");
      return Promise.resolve();
    },
    save: {
      secrets: (to) => copyTree(layout.secrets, to),
      postgres: (to) => saveDatabase(layout, to),
      prometheus: async (to) => {
        const name = snapshotName(await post(url("prometheus", "/api/v1/admin/tsdb/snapshot")));
        const snapshot = join(placeOf(layout, "prometheus"), "snapshots", name);
        try {
          await copyTree(snapshot, to);
        } finally {
          await rm(snapshot, { recursive: true, force: true });
        }
      },
      // What is not in a chunk yet is in the log, which Loki reads at its next start; lines that are in both are one.
      loki: async (to) => {
        await post(url("loki", "/flush"));
        await copyTree(placeOf(layout, "loki"), to, { skip: (path) => path === "rules-tmp" });
      },
    },
    claim: () => Promise.resolve(acquireRunnerLock(layout, me)),
    replace: (part, from, suffix) => replaceTree(from, placeOf(layout, part), suffix),
  };
}

function placeOf(layout: Layout, part: Part): string {
  switch (part) {
    case "postgres":
      return databaseDir(layout);
    case "loki":
      return join(layout.data, "loki");
    case "prometheus":
      return join(layout.data, "prometheus/tsdb");
    case "secrets":
      return layout.secrets;
    default:
      return part satisfies never;
  }
}

async function saveDatabase(layout: Layout, to: string): Promise<void> {
  const port = readState(layout)?.ports["postgres"] ?? 0;
  const password = await readSecret(layout, "postgres-password");
  const from = databaseDir(layout);
  await asSuperuser({ port, password, database: "postgres" }, (sql) =>
    savePostgres({
      ask: async (statement) => {
        const rows: readonly (readonly string[])[] = await sql.unsafe(statement).values();
        return rows[0]?.[0] ?? "";
      },
      copyFiles: () => copyTree(from, to, { skip: isLeftBehind }),
      copyLog: () => copyTree(join(from, "pg_wal"), join(to, "pg_wal")),
      writeLabel: async (label) => {
        const path = join(to, "backup_label");
        await writeFile(path, label, { mode: 0o600 });
        // Like the rest it belongs to the user the server runs as; whoever is not root is that user.
        const { uid, gid } = await stat(from);
        if (uid !== (await stat(path)).uid) await chown(path, uid, gid);
      },
    }),
  );
}

async function post(url: string): Promise<string> {
  const answer = await fetch(url, { method: "POST", signal: AbortSignal.timeout(60_000) });
  const text = await answer.text();
  if (!answer.ok) throw new SetupError(`${url} answered ${answer.status}: ${text}`);
  return text;
}
