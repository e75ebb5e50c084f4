import {
  type BaseConfig,
  baseShape,
  encryptionKey,
  type Env,
  flag,
  integer,
  networks,
  parseEnv,
  port,
  secret,
  secretOf,
  toBaseConfig,
  tokenShape,
} from "@vitrine/kit/config";
import { newPassword } from "@vitrine/contracts/auth";
import type { BlockList } from "node:net";
import { z } from "zod";
import { isGuessable } from "./common-passwords.ts";
import { firstAdminName } from "./first-people.ts";
import type { PresetIngestKey } from "./ingest-keys.ts";
import { readPresetIngestKeys } from "./preset-ingest-keys.ts";
import { readPresetClients } from "./preset-clients.ts";
import type { StoredClient } from "./store/clients.ts";

export interface Config extends BaseConfig {
  readonly database: { readonly url: string };
  readonly tokens: { readonly issuer: string; readonly audience: string };
  /** 32 bytes; encrypts signing keys at rest. */
  readonly keyEncryptionKey: Uint8Array;
  /** Days after which another key begins to sign; 0 for never. */
  readonly signingKeyDays: number;
  /** Milliseconds between two checks of the audit log; 0 for never. */
  readonly auditCheckEveryMs: number;
  readonly presetClients: readonly StoredClient[];
  readonly presetIngestKeys: readonly PresetIngestKey[];
  /** From whom `X-Client-Address` counts. */
  readonly gatewayAddresses: BlockList;
  readonly sessions: { readonly idleMs: number; readonly maxMs: number };
  readonly people: { readonly demo: boolean; readonly adminPassword: string | undefined };
  readonly passwords: { readonly concurrency: number; readonly maxWaiting: number };
}

const waitingPerHash = 32;

const adminPassword = newPassword
  .refine((password) => !isGuessable(password, firstAdminName), "is one of the passwords that are guessed first")
  .optional();

const presetClients = z.string().transform((path, context) => {
  const { clients, faults } = readPresetClients(path);
  for (const message of faults) context.addIssue({ code: "custom", message, input: path });
  return clients;
});

const presetIngestKeys = z
  .string()
  .default("[]")
  .transform((text, context) => {
    const { keys, faults } = readPresetIngestKeys(text);
    for (const message of faults) context.addIssue({ code: "custom", message });
    return keys;
  });

const minuteMs = 60_000;

const shape = {
  ...baseShape,
  TOKEN_ISSUER: tokenShape.TOKEN_ISSUER,
  TOKEN_AUDIENCE: tokenShape.TOKEN_AUDIENCE,
  PORT: port(8081),
  DATABASE_URL: secret(),
  KEY_ENCRYPTION_KEY: encryptionKey(),
  SIGNING_KEY_DAYS: integer({ min: 0, max: 365, fallback: 30 }),
  AUDIT_CHECK_MINUTES: integer({ min: 0, max: 10_080, fallback: 60 }),
  CLIENTS_FILE: presetClients,
  INGEST_KEYS: secretOf(presetIngestKeys),
  DEMO: flag(false),
  ADMIN_PASSWORD: secretOf(adminPassword),
  GATEWAY_ADDRESSES: networks("127.0.0.1,::1"),
  SESSION_IDLE_MINUTES: integer({ min: 1, max: 43_200, fallback: 720 }),
  SESSION_MAX_MINUTES: integer({ min: 1, max: 129_600, fallback: 10_080 }),
  PASSWORD_HASHES_AT_ONCE: integer({ min: 1, max: 64, fallback: 2 }),
} as const;

/** @throws ConfigError naming every variable, and every entry of the clients file, that is wrong */
export function parseConfig(env: Env): Config {
  const values = parseEnv(env, shape);
  return Object.freeze({
    ...toBaseConfig(values),
    database: { url: values.DATABASE_URL },
    tokens: { issuer: values.TOKEN_ISSUER, audience: values.TOKEN_AUDIENCE },
    keyEncryptionKey: values.KEY_ENCRYPTION_KEY,
    signingKeyDays: values.SIGNING_KEY_DAYS,
    auditCheckEveryMs: values.AUDIT_CHECK_MINUTES * minuteMs,
    presetClients: values.CLIENTS_FILE,
    presetIngestKeys: values.INGEST_KEYS,
    gatewayAddresses: values.GATEWAY_ADDRESSES,
    sessions: { idleMs: values.SESSION_IDLE_MINUTES * minuteMs, maxMs: values.SESSION_MAX_MINUTES * minuteMs },
    people: { demo: values.DEMO, adminPassword: values.ADMIN_PASSWORD },
    passwords: {
      concurrency: values.PASSWORD_HASHES_AT_ONCE,
      maxWaiting: values.PASSWORD_HASHES_AT_ONCE * waitingPerHash,
    },
  });
}
