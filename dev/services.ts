import { join } from "node:path";
import { type Scope, scopes as everyScope } from "@vitrine/contracts/scopes";
import type { Environment } from "./engines/cache.ts";
import { type Layout, secretFile, targetsFile } from "./layout.ts";
import type { Ports } from "./ports.ts";
import type { ProcessName, ServiceName } from "./process-names.ts";
import { stateFile } from "./state.ts";

export interface ServiceContext {
  readonly layout: Layout;
  readonly ports: Ports;
  readonly traffic: boolean;
  readonly demo: boolean;
}

export interface Service {
  readonly name: ServiceName;
  /** Started once these are ready, or have failed: their absence is then the services' own to report. */
  readonly after: readonly ProcessName[];
  readonly hasDatabase: boolean;
  /** Of its own OAuth client: telemetry, and what it calls. */
  readonly scopes: readonly Scope[];
  /** What only this service is told; the rest is in `serviceEnvironment`. */
  readonly env: (context: ServiceContext) => Readonly<Record<string, string>>;
}

const local = (port: number): string => `http://127.0.0.1:${port}`;

/** On this machine nothing is lost by a fault. */
const injectable = { FAULT_INJECTION: "on" } as const;

/** In the order of start. */
export const services: readonly Service[] = [
  {
    name: "auth",
    after: ["postgres"],
    hasDatabase: true,
    scopes: ["telemetry:write"],
    env: ({ layout, demo }) => ({
      CLIENTS_FILE: secretFile(layout, "clients.json"),
      KEY_ENCRYPTION_KEY_FILE: secretFile(layout, "key-encryption-key"),
      ADMIN_PASSWORD_FILE: secretFile(layout, "admin-password"),
      DEMO: demo ? "on" : "off",
    }),
  },
  {
    name: "gateway",
    after: ["auth"],
    hasDatabase: false,
    scopes: ["telemetry:write", "feed:read"],
    env: ({ ports }) => ({
      OTLP_PORT: String(ports.otlp),
      ORDERS_URL: local(ports.orders),
      INVENTORY_URL: local(ports.inventory),
      GENERATOR_URL: local(ports.generator),
      CONSOLE_URL: local(ports.console),
      NOTIFIER_URL: local(ports.notifier),
      COLLECTOR_URL: local(ports.collectorOtlp),
      PROMETHEUS_URL: local(ports.prometheus),
      LOKI_URL: local(ports.loki),
      JAEGER_URL: local(ports.jaeger),
      ALERTMANAGER_URL: local(ports.alertmanager),
      // Through itself every span it sends would make another.
      OTEL_EXPORTER_OTLP_ENDPOINT: local(ports.collectorOtlp),
      OTEL_EXPORTER_OTLP_HEADERS: "x-client-id=gateway,x-client-service=gateway",
      // A stranger's traceparent must not decide that a request leaves no trace.
      OTEL_TRACES_SAMPLER: "always_on",
    }),
  },
  {
    name: "inventory",
    after: ["postgres", "auth"],
    hasDatabase: true,
    scopes: ["telemetry:write"],
    env: () => injectable,
  },
  {
    name: "orders",
    after: ["postgres", "auth"],
    hasDatabase: true,
    scopes: ["telemetry:write", "inventory:read", "inventory:write"],
    env: ({ ports }) => ({ INVENTORY_URL: local(ports.inventory), ...injectable }),
  },
  {
    name: "console",
    after: ["postgres", "gateway"],
    hasDatabase: true,
    scopes: ["telemetry:write"],
    env: ({ layout, ports, demo }) => ({
      GATEWAY_URL: local(ports.gateway),
      DEMO: demo ? "on" : "off",
      RUNNER_STATE_FILE: stateFile(layout),
    }),
  },
  {
    name: "notifier",
    after: ["postgres", "auth"],
    hasDatabase: true,
    scopes: ["telemetry:write"],
    env: ({ layout }) => ({
      ALERTMANAGER_TOKEN_FILE: secretFile(layout, "alertmanager-token"),
      KEY_ENCRYPTION_KEY_FILE: secretFile(layout, "notifier-encryption-key"),
      TARGETS_FILE: targetsFile(layout),
      RUNBOOKS_DIR: join(layout.repoRoot, "docs/runbooks"),
      // At a desk whoever is to be told may listen at the desk.
      ALLOWED_NETWORKS: "127.0.0.0/8,::1",
    }),
  },
  {
    name: "generator",
    after: ["gateway", "inventory", "orders"],
    hasDatabase: false,
    scopes: [
      "telemetry:write",
      "orders:read",
      "orders:write",
      "catalog:write",
      "inventory:read",
      "inventory:write",
      "faults:admin",
    ],
    env: ({ ports, traffic }) => ({
      GATEWAY_URL: local(ports.gateway),
      TRAFFIC: traffic ? "on" : "off",
      ...injectable,
    }),
  },
];

export const databaseServices: readonly ServiceName[] = services
  .filter((service) => service.hasDatabase)
  .map((service) => service.name);

export interface PresetClient {
  readonly clientId: string;
  /** The one name its telemetry may carry. */
  readonly service?: ServiceName;
  readonly scopes: readonly Scope[];
  readonly mayImpersonate: boolean;
}

/** The OAuth clients auth starts with; `collector` probes what people use, `cli` is `bun run token` and `bun run doctor`, on this machine only. */
export const clients: readonly PresetClient[] = [
  ...services.map(({ name, scopes }) => ({ clientId: name, service: name, scopes, mayImpersonate: false })),
  {
    clientId: "collector",
    scopes: ["alerts:read", "inventory:read", "orders:read", "telemetry:read"],
    mayImpersonate: false,
  },
  { clientId: "cli", scopes: everyScope, mayImpersonate: true },
];

/** Would set a service up for another system than this one, or send loopback calls to a proxy. */
const foreign =
  /^(?:https?_proxy|all_proxy|no_proxy|HOST|PORT|[A-Z_]+_URL|CLIENT_ID|CLIENT_SECRET|DATABASE_URL|KEY_ENCRYPTION_KEY|ADMIN_PASSWORD|[A-Z_]+_FILE|OTEL_(?:EXPORTER|SERVICE|SDK|TRACES|METRICS_EXPORTER|LOGS|PROPAGATORS)\w*|BUN_OPTIONS|NODE_OPTIONS)$/;

/** The user's environment, so that a service's own variables can be set on the command line, without what is foreign. */
export function inheritedEnvironment(env: Environment): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || foreign.test(name) || foreign.test(name.toLowerCase())) continue;
    inherited[name] = value;
  }
  return inherited;
}

/** Secrets are given as the names of files, so that no process listing shows them. */
export function serviceEnvironment(
  service: Service,
  context: ServiceContext,
  env: Environment,
): Readonly<Record<string, string>> {
  const { layout, ports } = context;
  return {
    ...inheritedEnvironment(env),
    // Behind the gateway nothing may be reached from elsewhere.
    HOST: service.name === "gateway" ? env["GATEWAY_HOST"] || "127.0.0.1" : "127.0.0.1",
    PORT: String(ports[service.name]),
    AUTH_URL: local(ports.auth),
    TOKEN_ISSUER: `http://localhost:${ports.gateway}`,
    TOKEN_AUDIENCE: "vitrine",
    CLIENT_ID: service.name,
    CLIENT_SECRET_FILE: secretFile(layout, `${service.name}-client-secret`),
    ...(service.hasDatabase ? { DATABASE_URL_FILE: secretFile(layout, `${service.name}-database-url`) } : {}),
    OTEL_SERVICE_NAME: service.name,
    OTEL_EXPORTER_OTLP_ENDPOINT: local(ports.otlp),
    OTEL_RESOURCE_ATTRIBUTES: env["OTEL_RESOURCE_ATTRIBUTES"] || "deployment.environment.name=development",
    ...service.env(context),
  };
}
