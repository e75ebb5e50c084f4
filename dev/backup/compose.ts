import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { secretsFolder } from "../compose/installation.ts";
import type { Environment } from "../engines/cache.ts";
import { repositoryRoot } from "../engines/engines.ts";
import { runCommand } from "../engines/run-command.ts";
import { SetupError } from "../setup-error.ts";
import { copyTree, replaceTree } from "./copy-tree.ts";
import { leftBehindByTar, savePostgres } from "./postgres.ts";
import { withPsql } from "./psql.ts";
import { type Part, parts, snapshotName, type System } from "./system.ts";
import { removeFromVolume, replaceInVolume, saveVolume, type VolumeTools } from "./volumes.ts";

const configSchema = z.looseObject({
  services: z.record(z.string(), z.looseObject({ image: z.string() })),
  volumes: z.record(z.string(), z.looseObject({ name: z.string() })),
});

/** Asked by the gateway, which runs Bun and shares a network with the engines. */
const post = `
  const answer = await fetch(process.argv.at(-1), { method: "POST", signal: AbortSignal.timeout(60_000) });
  process.stdout.write(await answer.text());
  process.exit(answer.ok ? 0 : 1);`;

/**
 * What `docker compose up` starts, by the settings compose itself would take. Of a PostgreSQL elsewhere there is no part.
 *
 * @throws {SetupError} when compose does not take them
 */
export async function composeSystem(env: Environment): Promise<System> {
  const compose = async (...args: readonly string[]): Promise<string> => {
    const argv = ["docker", "compose", ...args];
    const { exitCode, stdout, stderr } = await runCommand(argv, { env, cwd: repositoryRoot }).catch(() => {
      throw new SetupError("There is no `docker compose` on PATH.");
    });
    if (exitCode !== 0) throw new SetupError(`${argv.slice(0, 4).join(" ")}: ${(stderr || stdout).trim()}`);
    return stdout;
  };
  const { services, volumes } = configSchema.parse(JSON.parse(await compose("config", "--format=json")));
  const running = async (): Promise<readonly string[]> =>
    (await compose("ps", "--status=running", "--services")).split("\n").filter((line) => line !== "");
  const tools: VolumeTools = { image: services["volume-owner"]?.image ?? "", env };
  // As the image lays it out: https://hub.docker.com/_/postgres, "PGDATA".
  const dataFolder = `${/:(\d+)/.exec(tools.image)?.[1]}/docker`;
  const volumeOf = (part: Part): string => volumes[part]?.name ?? "";
  const ask = (url: string) => compose("exec", "-T", "gateway", "/usr/local/bin/bun", "--no-install", "-e", post, url);

  async function saveDatabase(to: string): Promise<void> {
    const volume = volumeOf("postgres");
    await withPsql(["docker", "compose", "exec", "-T", "postgres"], env, (asked) =>
      savePostgres({
        ask: asked,
        copyFiles: () => saveVolume(tools, volume, dataFolder, to, leftBehindByTar),
        copyLog: () => saveVolume(tools, volume, `${dataFolder}/pg_wal`, join(to, "pg_wal")),
        writeLabel: (label) => writeFile(join(to, "backup_label"), label, { mode: 0o600 }),
      }),
    );
  }

  return {
    name: "compose",
    parts: parts.filter((part) => part === "secrets" || services[part] !== undefined),
    checkRuns: async () => {
      const found = new Set(await running());
      const missing = ["gateway", ...Object.keys(services).filter((name) => parts.some((part) => part === name))];
      if (!missing.every((name) => found.has(name)))
        throw new SetupError(
          "The system does not run: start it with `docker compose up`; a backup is made while it works.",
        );
    },
    save: {
      secrets: (to) => copyTree(secretsFolder(env), to),
      postgres: saveDatabase,
      prometheus: async (to) => {
        const folder = `snapshots/${snapshotName(await ask("http://prometheus:9090/api/v1/admin/tsdb/snapshot"))}`;
        const volume = volumeOf("prometheus");
        try {
          await saveVolume(tools, volume, folder, to);
        } finally {
          await removeFromVolume(tools, volume, folder);
        }
      },
      loki: async (to) => {
        await ask("http://loki:3100/flush");
        await saveVolume(tools, volumeOf("loki"), ".", to, ["--exclude=./rules-tmp"]);
      },
    },
    claim: async () => {
      const found = await running();
      if (found.length > 0)
        throw new SetupError(`The system runs (${found.join(", ")}): end it with \`docker compose down\`.`);
      return { [Symbol.dispose]: () => undefined };
    },
    replace: async (part, from, suffix) => {
      if (part === "secrets") return await replaceTree(from, secretsFolder(env), suffix);
      // Makes the volume where there is none, with the owner its image gives it.
      await compose("create", "--no-build", part);
      const [volume, folder] = [volumeOf(part), part === "postgres" ? dataFolder : "."];
      const moved = await replaceInVolume(tools, volume, folder, from, suffix);
      return moved ? `${suffix} of the volume ${volume}` : undefined;
    },
  };
}
