import type { AttributeValues, MetricDefinition } from "./telemetry.ts";

/**
 * What stands around the single metrics and log actions of the contract: who sends which signals, who calls whom, how
 * many series there may be, and what is read beside the names of our own. Tests compare it with the running system.
 */

export const signals = ["traces", "metrics", "logs"] as const;

export type Signal = (typeof signals)[number];

/** Who answers requests: each sends all three signals. */
export const requestServices = ["auth", "console", "gateway", "generator", "inventory", "notifier", "orders"] as const;

/** Every source of telemetry by its `service.name`, with the signals that come from it. */
export const sources: Readonly<Record<string, readonly Signal[]>> = {
  ...Object.fromEntries(requestServices.map((service) => [service, signals])),
  host: ["metrics"],
  postgres: ["metrics", "logs"],
  prober: ["metrics"],
};

/** Calls from one service to another (or to the database `vitrine`), as the service graph must show them. */
export const edges = [
  ["auth", "vitrine"],
  ["console", "vitrine"],
  ["gateway", "auth"],
  ["gateway", "console"],
  ["gateway", "inventory"],
  ["gateway", "notifier"],
  ["gateway", "orders"],
  ["generator", "gateway"],
  ["inventory", "vitrine"],
  ["notifier", "vitrine"],
  ["orders", "inventory"],
  ["orders", "vitrine"],
] as const satisfies readonly (readonly [client: string, server: string])[];

/** Distinct values that an attribute marked `"bounded"` takes in one process, and what keeps it so. */
export const attributeBounds: Readonly<Record<string, { readonly values: number; readonly because: string }>> = {
  "client.id": {
    values: 502,
    because: "the gateway names the first 500 clients, calls the others _other, and who has no valid token _anonymous",
  },
  currency: { values: 10, because: "the catalogue's schema lists them" },
  "db.namespace": { values: 1, because: "a service has one database" },
  "db.operation.name": { values: 40, because: "the first word of a statement of ours" },
  "error.type": { values: 40, because: "codes of errors, names of exceptions and statuses of answers" },
  "http.response.status_code": { values: 40, because: "statuses our services and engines answer" },
  "http.route": { values: 150, because: "templates of routes, never paths" },
  "piece.maison": { values: 60, because: "only an administrator adds to the catalogue" },
  route: { values: 150, because: "rows of the gateway's table" },
  "server.address": { values: 12, because: "addresses of upstreams from the configuration" },
  "server.port": { values: 12, because: "ports of upstreams from the configuration" },
  target: { values: 100, because: "only an administrator adds to the notifier's targets" },
  upstream: { values: 12, because: "upstreams from the configuration" },
};

const defaultMaxSeries = 1_000;

/**
 * Series of a metric that one process makes at most, a histogram counted once: what it declares, else all combinations
 * of its attributes (each may be absent too), but never more than 1,000.
 */
export function maxSeriesOf({ attributes, maxSeries }: MetricDefinition): number {
  if (maxSeries !== undefined) return maxSeries;
  const combinations = Object.entries(attributes).reduce(
    (product, [key, values]) => product * (1 + count(key, values)),
    1,
  );
  return Math.min(combinations, defaultMaxSeries);
}

function count(key: string, values: AttributeValues): number {
  return typeof values === "string" ? (attributeBounds[key]?.values ?? Infinity) : values.length;
}

/** What Prometheus calls a metric of the contract (translation strategy UnderscoreEscapingWithSuffixes). */
export function prometheusNames({ name, unit, kind }: MetricDefinition): readonly string[] {
  const suffix = unit === "s" ? "_seconds" : unit === "By" ? "_bytes" : "";
  const base = name.replaceAll(".", "_") + suffix;
  switch (kind) {
    case "counter":
      return [`${base}_total`];
    case "histogram":
      return [`${base}_bucket`, `${base}_count`, `${base}_sum`];
    case "gauge":
    case "up_down_counter":
      return [base];
    default:
      return kind satisfies never;
  }
}

export interface ForeignMetrics {
  /** By which a name in Prometheus is told to be of this origin. */
  readonly prefix: string;
  readonly by: string;
  /** The `service.name` they carry; `"all"` for what libraries add in services. */
  readonly sources: readonly string[];
  readonly description: string;
}

/** Metrics under names that are not ours to choose. */
export const foreignMetrics: readonly ForeignMetrics[] = [
  {
    prefix: "db_client_connection",
    by: "@opentelemetry/instrumentation-pg",
    sources: ["any with a database"],
    description: "Connections of a pool: used and idle, at most, and requests that wait for one.",
  },
  {
    prefix: "traces_span_metrics_",
    by: "the collector's span_metrics",
    sources: ["any that sends spans"],
    description: "Calls and durations by span, with exemplars that lead to traces; taken before any sampling.",
  },
  {
    prefix: "traces_service_graph_",
    by: "the collector's service_graph",
    sources: ["none: client and server are labels"],
    description: "Requests between services, failed ones among them, and their durations on either side.",
  },
  {
    prefix: "security_events_logged",
    by: "the collector's count",
    sources: ["any that logs security events"],
    description: "Security events whose log records reached the collector; security.events counts those written.",
  },
  {
    prefix: "client_",
    by: "the collector's count",
    sources: ["any whose telemetry is not what it should be"],
    description:
      "Lines, spans and points under another's name; points Prometheus would refuse; lines with a time that cannot be.",
  },
  {
    prefix: "system_",
    by: "the collector's host_metrics",
    sources: ["host"],
    description: "Processors, memory, load, file systems, disks and networks of the machine.",
  },
  {
    prefix: "postgresql_",
    by: "the collector's postgresql",
    sources: ["postgres"],
    description:
      "The database itself: connections, transactions, locks, cache, tables with dead rows, indexes, writer.",
  },
  {
    prefix: "httpcheck_",
    by: "the collector's http_check",
    sources: ["prober"],
    description: "Probes through the public door: status, duration, errors, days left to the certificate.",
  },
  {
    prefix: "target_info",
    by: "Prometheus",
    sources: ["any"],
    description: "Resource attributes that are no labels, to be joined by job and instance.",
  },
];
