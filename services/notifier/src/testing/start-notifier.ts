import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { newTarget, type Target } from "@vitrine/contracts/targets";
import type { Scope } from "@vitrine/contracts/scopes";
import { createDatabase } from "@vitrine/kit/postgres";
import { migrate } from "@vitrine/kit/postgres/migrate";
import { alwaysReady, memoryLogger } from "@vitrine/kit/testing/log";
import { startPostgres, type TestPostgres } from "@vitrine/kit/testing/postgres";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import type { z } from "zod";
import { createApp } from "../app.ts";
import { parseConfig } from "../config.ts";
import { createDeps, type World } from "../deps.ts";

export const alertmanagerToken = "of-alertmanager-".padEnd(43, "x");

export interface NotifierOptions extends Partial<Pick<World, "now" | "random" | "resolve" | "timeoutMs" | "ca">> {
  readonly env?: Readonly<Record<string, string>>;
  /** A database server that the test may stop. */
  readonly ownServer?: boolean;
  /** A database that is there already. */
  readonly postgres?: TestPostgres;
}

/** What a target is made of, without what has a default. */
export type TargetInput = z.input<typeof newTarget>;

/** The service on a database of its own; nothing is sent but by `dispatcher.drain()`. */
export async function startNotifier(options: NotifierOptions = {}) {
  const postgres = options.postgres ?? (await startPostgres({ ownServer: options.ownServer === true }));
  const { url } = postgres;
  const config = parseConfig({
    DATABASE_URL: url,
    KEY_ENCRYPTION_KEY: randomBytes(32).toString("base64url"),
    ALERTMANAGER_TOKEN: alertmanagerToken,
    ALLOWED_NETWORKS: "127.0.0.0/8",
    ...options.env,
  });
  const { logger, lines } = memoryLogger("notifier");
  const database = createDatabase({ url, service: "notifier", logger });
  await migrate(database, join(import.meta.dir, "../../migrations"), logger);
  const issuer = await createTestIssuer();
  const deps = createDeps({
    ...options,
    config,
    database,
    logger,
    readiness: alwaysReady,
    verifier: issuer.verifier,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    newId: () => Bun.randomUUIDv7(),
    timeoutMs: options.timeoutMs ?? { http: 2_000, mail: 5_000 },
  });
  const app = createApp(deps);

  async function call(method: string, path: string, body?: unknown, scope: Scope | "" = "alerts:admin") {
    const authorization = `Bearer ${await issuer.sign(scope)}`;
    return app.request(`/api/notifier${path}`, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  return {
    ...deps,
    app,
    postgres,
    lines,
    issuer,
    call,
    read: async <T>(path: string): Promise<T> => (await (await call("GET", path)).json()) as T,
    addTarget: (target: TargetInput): Promise<Target> => deps.targets.create(newTarget.parse(target)),
    /** What Alertmanager sends. */
    tell: (webhook: unknown, token = alertmanagerToken) =>
      app.request("/api/notifier/alertmanager", {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(webhook),
      }),
    [Symbol.asyncDispose]: async () => {
      await deps.dispatcher.stop();
      await deps.keeper.close();
      await database.close();
    },
  };
}

export type TestNotifier = Awaited<ReturnType<typeof startNotifier>>;

export interface AlertInput {
  readonly name?: string;
  readonly severity?: string;
  readonly service?: string;
  readonly status?: "firing" | "resolved";
  /** Milliseconds since the epoch. */
  readonly startsAt: number;
  readonly endsAt?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One alert as Alertmanager has it; its fingerprint follows from its labels, as there. */
export function alertOf(input: AlertInput) {
  const { name = "HighErrorRate", severity = "critical", service = "orders", status = "firing", startsAt } = input;
  const labels = { alertname: name, severity, service_name: service, ...input.labels };
  return {
    status,
    labels,
    annotations: { summary: `${service} fails`, description: "Much of it.", ...input.annotations },
    startsAt: new Date(startsAt).toISOString(),
    endsAt: status === "firing" ? "0001-01-01T00:00:00Z" : new Date(input.endsAt ?? startsAt + 60_000).toISOString(),
    generatorURL: "http://prometheus:9090/graph",
    fingerprint: Bun.hash(JSON.stringify(labels)).toString(16).padStart(16, "0"),
  };
}

/** A webhook of one group, version 4, with all that Alertmanager says beside what is read. */
export function webhookOf(...inputs: readonly AlertInput[]) {
  const alerts = inputs.map(alertOf);
  const [first] = alerts;
  const groupLabels = { alertname: first?.labels.alertname ?? "" };
  return {
    version: "4",
    groupKey: `{}:{alertname="${groupLabels.alertname}"}`,
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === "firing") ? "firing" : "resolved",
    receiver: "notifier",
    groupLabels,
    commonLabels: {},
    commonAnnotations: {},
    externalURL: "http://alertmanager:9093",
    alerts,
  };
}
