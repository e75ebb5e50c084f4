import { join, resolve } from "node:path";
import type { Environment } from "./engines/cache.ts";
import { repositoryRoot } from "./engines/engines.ts";

/** Where a checkout keeps what it makes while it runs; all of it is ignored by git. */
export interface Layout {
  readonly repoRoot: string;
  readonly root: string;
  readonly data: string;
  readonly logs: string;
  readonly run: string;
  readonly secrets: string;
}

/** `VITRINE_DIR` moves the folder, so that a test can have a whole system beside the one in use. */
export function layoutOf(env: Environment, repoRoot: string = repositoryRoot): Layout {
  const root = resolve(repoRoot, env["VITRINE_DIR"] || ".vitrine");
  return {
    repoRoot,
    root,
    data: join(root, "data"),
    logs: join(root, "logs"),
    run: join(root, "run"),
    secrets: join(root, "secrets"),
  };
}

/** Names of the secrets this checkout makes for itself, each one file of the same name. */
export type SecretName =
  | "postgres-password"
  | "key-encryption-key"
  | "notifier-encryption-key"
  | "admin-password"
  | "alertmanager-token"
  | `${string}-database-password`
  | `${string}-client-secret`;

/** Files made anew at every start from the secrets, the ports and the table of clients. */
export type DerivedName = "clients.json" | `${string}-database-url`;

export function secretFile(layout: Layout, name: SecretName | DerivedName): string {
  return join(layout.secrets, name);
}

/** Whom alerts are told: made empty once, the user's from then on. */
export function targetsFile(layout: Layout): string {
  return join(layout.root, "targets.json");
}

export function logFileOf(layout: Layout, name: string): string {
  return join(layout.logs, `${name}.log`);
}
