import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TokenResponse, tokenResponse } from "@vitrine/contracts/auth";
import type { Readiness } from "@vitrine/kit/lifecycle";
import { createDatabase } from "@vitrine/kit/postgres";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres, type TestPostgres } from "@vitrine/kit/testing/postgres";
import { createApp } from "../app.ts";
import { type Config, parseConfig } from "../config.ts";
import { createDeps } from "../deps.ts";
import type { PasswordFunction } from "../passwords.ts";
import { prepare } from "../prepare.ts";

export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Clients of every test: a service, and one that may act for people. */
export const testSecrets = { orders: newSecret(), cli: newSecret(), gateway: newSecret() };

const testClients = [
  {
    clientId: "orders",
    clientSecret: testSecrets.orders,
    service: "orders",
    scopes: ["telemetry:write", "inventory:read", "inventory:write"],
  },
  { clientId: "gateway", clientSecret: testSecrets.gateway, scopes: ["feed:read"] },
  { clientId: "cli", clientSecret: testSecrets.cli, scopes: ["telemetry:read"], mayImpersonate: true },
];

/** Costs nothing, where passwords are not what is tested. */
export const quickPasswords: PasswordFunction = {
  hash: async (text) => `hash of ${createHash("sha256").update(text).digest("hex")}`,
  verify: async (text, hash) => hash === (await quickPasswords.hash(text)),
};

/** A configuration read from an environment as the runner makes it. */
export async function testConfig(
  url: string,
  env: Readonly<Record<string, string>> = {},
  clients: readonly unknown[] = testClients,
): Promise<Config> {
  const directory = await mkdtemp(join(tmpdir(), "vitrine-auth-"));
  const file = join(directory, "clients.json");
  await writeFile(file, JSON.stringify(clients));
  const config = parseConfig({ DATABASE_URL: url, KEY_ENCRYPTION_KEY: newSecret(), CLIENTS_FILE: file, ...env });
  await rm(directory, { recursive: true });
  return config;
}

export interface AuthOptions {
  readonly postgres?: TestPostgres;
  readonly config?: Config;
  readonly env?: Readonly<Record<string, string>>;
  readonly readiness?: Readiness;
  readonly now?: () => number;
  readonly passwordFunction?: PasswordFunction;
  readonly print?: (line: string) => void;
}

/** One process of the service on a database of its own, or on the one given; not prepared yet. */
export async function wireAuth(options: AuthOptions = {}) {
  const postgres = options.postgres ?? (await startPostgres());
  const config = options.config ?? (await testConfig(postgres.url, options.env));
  const { logger, lines } = memoryLogger("auth");
  const printed: string[] = [];
  const stopping = new AbortController();
  const database = createDatabase({ url: config.database.url, service: "auth", logger });
  const deps = createDeps({
    config,
    database,
    logger,
    readiness: options.readiness ?? alwaysReady,
    stopping: stopping.signal,
    now: options.now ?? Date.now,
    newId: () => Bun.randomUUIDv7(),
    print: options.print ?? ((line) => printed.push(line)),
    ...(options.passwordFunction === undefined ? {} : { passwordFunction: options.passwordFunction }),
  });
  const app = createApp(deps);
  return {
    ...deps,
    app,
    postgres,
    database,
    config,
    lines,
    printed,
    prepare: () => prepare(deps),
    /** Says that the process stops, as its lifecycle would. */
    stop: () => stopping.abort(),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      deps.rotation.stop();
      await deps.feed.close();
      await deps.sessionKeeper.close();
      await deps.auditWatch.close();
      await database.close();
    },
    json: async (path: string, body: unknown) =>
      app.request(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    /** One request of one client: its address, its token or cookie, and its body as JSON. */
    send: async (method: string, path: string, { address, token, cookie, body, headers }: SendOptions = {}) =>
      app.request(
        path,
        {
          method,
          headers: {
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(cookie === undefined ? {} : { cookie }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        },
        { server: { requestIP: () => ({ address: address ?? "198.51.100.1" }) } },
      ),
    token: (form: Readonly<Record<string, string>>, authorization?: string) =>
      app.request("/oauth/token", {
        method: "POST",
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: new URLSearchParams(form).toString(),
      }),
    me: (token: string) => app.request("/api/auth/me", { headers: { authorization: `Bearer ${token}` } }),
  };
}

export interface SendOptions {
  readonly address?: string;
  readonly token?: string;
  readonly cookie?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type TestAuth = Awaited<ReturnType<typeof wireAuth>>;

export async function startAuth(options: AuthOptions = {}): Promise<TestAuth> {
  const auth = await wireAuth(options);
  await auth.prepare();
  return auth;
}

export function basic(clientId: string, clientSecret: string): string {
  return `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`;
}

export async function readToken(response: Response): Promise<TokenResponse> {
  return tokenResponse.parse(await response.json());
}
