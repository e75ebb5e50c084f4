import type { BlockList } from "node:net";
import {
  type BaseConfig,
  baseShape,
  encryptionKey,
  type Env,
  integer,
  networks,
  parseEnv,
  port,
  secret,
  secretOf,
  text,
  toBaseConfig,
  type TokenConfig,
  tokenShape,
  toTokenConfig,
} from "@vitrine/kit/config";
import type { NewTarget } from "@vitrine/contracts/targets";
import { z } from "zod";
import { readPresetTargets } from "./preset-targets.ts";

export interface Config extends BaseConfig {
  readonly database: { readonly url: string };
  readonly tokens: TokenConfig;
  /** What Alertmanager proves itself with. */
  readonly alertmanagerToken: string;
  /** 32 bytes; encrypts the settings of targets at rest. */
  readonly keyEncryptionKey: Uint8Array;
  /** Addresses messages may go to although they are not public; there, http and mail in clear will do. */
  readonly allowedNetworks: BlockList;
  readonly presetTargets: readonly NewTarget[];
  /** Where people open Vitrine; links in messages begin with it. */
  readonly publicUrl: string;
  /** Folder of `<alert name>.md`: what messages say under "First look" is taken from there. */
  readonly runbooksDir: string | undefined;
  readonly historyDays: number;
}

const presetTargets = z
  .string()
  .default("[]")
  .transform((source, context) => {
    const { targets, faults } = readPresetTargets(source);
    for (const message of faults) context.addIssue({ code: "custom", message });
    return targets;
  });

const shape = {
  ...baseShape,
  ...tokenShape,
  PORT: port(8085),
  DATABASE_URL: secret(),
  KEY_ENCRYPTION_KEY: encryptionKey(),
  ALERTMANAGER_TOKEN: secretOf(z.string().regex(/^[\w.-]{32,}$/, "must be 32 letters, digits, -, _ and . or more")),
  ALLOWED_NETWORKS: networks(""),
  TARGETS: secretOf(presetTargets),
  RUNBOOKS_DIR: text().optional(),
  HISTORY_DAYS: integer({ min: 1, max: 3_650, fallback: 90 }),
} as const;

/** @throws ConfigError naming every variable, and every preset target, that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  return Object.freeze({
    ...toBaseConfig(values),
    database: { url: values.DATABASE_URL },
    tokens: toTokenConfig(values),
    alertmanagerToken: values.ALERTMANAGER_TOKEN,
    keyEncryptionKey: values.KEY_ENCRYPTION_KEY,
    allowedNetworks: values.ALLOWED_NETWORKS,
    presetTargets: values.TARGETS,
    publicUrl: values.TOKEN_ISSUER.replace(/\/+$/, ""),
    runbooksDir: values.RUNBOOKS_DIR,
    historyDays: values.HISTORY_DAYS,
  });
}
