import {
  type BaseConfig,
  baseShape,
  type Env,
  flag,
  integer,
  parseEnv,
  port,
  secret,
  secretOf,
  toBaseConfig,
  tokenShape,
} from "@vitrine/kit/config";
import { newPassword } from "@vitrine/contracts/auth";
import { BlockList, isIP } from "node:net";
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
  readonly presetClients: readonly StoredClient[];
  readonly presetIngestKeys: readonly PresetIngestKey[];
  /** From whom `X-Client-Address` counts. */
  readonly gatewayAddresses: BlockList;
  readonly sessions: { readonly idleMs: number; readonly maxMs: number };
  readonly people: { readonly demo: boolean; readonly adminPassword: string | undefined };
  readonly passwords: { readonly concurrency: number; readonly maxWaiting: number };
}

const waitingPerHash = 32;

const encryptionKey = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes as base64url, 43 characters")
  .transform((value): Uint8Array => Buffer.from(value, "base64url"));

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

/** Addresses and networks such as `10.0.0.0/8`, separated by commas. */
const proxies = z
  .string()
  .default("127.0.0.1,::1")
  .transform((text, context) => {
    const list = new BlockList();
    for (const part of text.split(",").map((entry) => entry.trim())) {
      const [address = "", prefix, more] = part.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      const bits = prefix === undefined ? undefined : Number(prefix);
      const valid = isIP(address) !== 0 && more === undefined && /^\d{1,3}$/.test(prefix ?? "0");
      if (!valid || (bits ?? 0) > (family === "ipv6" ? 128 : 32))
        context.addIssue({ code: "custom", message: `"${part}" is no address and no network` });
      else if (bits === undefined) list.addAddress(address, family);
      else list.addSubnet(address, bits, family);
    }
    return list;
  });

const shape = {
  ...baseShape,
  TOKEN_ISSUER: tokenShape.TOKEN_ISSUER,
  TOKEN_AUDIENCE: tokenShape.TOKEN_AUDIENCE,
  PORT: port(8081),
  DATABASE_URL: secret(),
  KEY_ENCRYPTION_KEY: secretOf(encryptionKey),
  SIGNING_KEY_DAYS: integer({ min: 0, max: 365, fallback: 30 }),
  CLIENTS_FILE: presetClients,
  INGEST_KEYS: secretOf(presetIngestKeys),
  DEMO: flag(false),
  ADMIN_PASSWORD: secretOf(adminPassword),
  GATEWAY_ADDRESSES: proxies,
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
