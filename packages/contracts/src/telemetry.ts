import { channels, deliveryFailures, tiers } from "./alerts.ts";
import { faultNames } from "./faults.ts";
import { pieceKinds } from "./piece.ts";
import { scenarioNames } from "./scenarios.ts";

/**
 * The telemetry contract: every metric, log action and span attribute that Vitrine emits under a name of its own or
 * relies on by name. Code takes its names from here; dashboards, rules and tests do too. Semantic conventions first.
 * After a change `bun run docs:telemetry` makes docs/telemetry.md anew.
 */

export type MetricKind = "counter" | "up_down_counter" | "histogram" | "gauge";

/** The values an attribute may take: a closed list, or `"bounded"` where code bounds them: `attributeBounds` says how far. */
export type AttributeValues = readonly string[] | "bounded";

export interface MetricDefinition<
  A extends Readonly<Record<string, AttributeValues>> = Readonly<Record<string, AttributeValues>>,
> {
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM unit: `s`, `By`, or a thing in braces such as `{order}`. */
  readonly unit: string;
  readonly description: string;
  readonly attributes: A;
  /** Who emits it; `"all"` for what the kit emits in every service. */
  readonly services: readonly string[] | "all";
  /** Upper bounds of histogram buckets, in the unit. */
  readonly buckets?: readonly number[];
  /** Series that one process makes of it at most, a histogram counted once; see `maxSeriesOf` for the default. */
  readonly maxSeries?: number;
}

/** The attributes a recording of a metric takes, with closed lists narrowed to their members. */
export type MetricAttributes<D extends MetricDefinition> = {
  readonly [K in keyof D["attributes"]]?: D["attributes"][K] extends readonly (infer V)[] ? V : string | number;
};

function metric<const A extends Readonly<Record<string, AttributeValues>>>(
  definition: MetricDefinition<A>,
): MetricDefinition<A> {
  return Object.freeze(definition);
}

/** Bucket advice of the HTTP semantic conventions, in seconds, and 0.2, at which the objective for latency is set. */
const httpDurationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const httpMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "_OTHER"] as const;
const signals = ["traces", "metrics", "logs"] as const;

/** Why a token was refused: a closed set, safe as a metric label. */
export const tokenRefusals = [
  "malformed_token",
  "bad_signature",
  "unknown_key",
  "expired",
  "not_yet_valid",
  "wrong_issuer",
  "wrong_audience",
  "wrong_type",
  "missing_claim",
  "revoked",
] as const;

/** Services that keep data. */
const withDatabase = ["auth", "console", "inventory", "notifier", "orders"] as const;

interface LogAction {
  readonly description: string;
  readonly services: readonly string[] | "all";
}

function action(description: string, services: LogAction["services"]): LogAction {
  return Object.freeze({ description, services });
}

/** Every `action` a log line can carry. Authentication events use the OWASP logging vocabulary. */
export const logActions = {
  "http.request": action("One line per answered request.", "all"),
  "http.error": action("A request failed for a reason the caller was not told.", "all"),
  "service.started": action("The service answers.", "all"),
  "service.ready": action("Start-up work is done and every check passes.", "all"),
  "service.not_ready": action("A start-up task or a readiness check failed.", "all"),
  "service.stopping": action("Shutdown began.", "all"),
  "service.stopped": action("Shutdown ended.", "all"),
  "service.failed": action("The service could not go on.", "all"),
  "config.invalid": action("The environment does not make a valid configuration.", "all"),
  "telemetry.dropped": action("The exporter gave telemetry up.", "all"),
  "telemetry.failed": action("The telemetry SDK reported a fault.", "all"),
  "db.slow_query": action(
    "A query took longer than the threshold; its text is normalised, with `?` for literals.",
    withDatabase,
  ),
  "db.migrated": action("Schema migrations were applied.", withDatabase),
  "upstream.circuit_opened": action("A service failed too often: calls to it are held back for a while.", ["orders"]),
  "upstream.circuit_closed": action("A service that had failed too often answers again.", ["orders"]),
  "order.placed": action("An order was taken.", ["orders"]),
  "order.reserved": action("The pieces of an order are set aside.", ["orders"]),
  "order.paid": action("An order was paid.", ["orders"]),
  "order.fulfilled": action("An order is done: pieces and money have changed hands.", ["orders"]),
  "order.cancelled": action("A customer called an order off.", ["orders"]),
  "order.expired": action("An order was not paid in time.", ["orders"]),
  "order.refused": action("A request about an order changed nothing.", ["orders"]),
  "wallet.moved": action("Money was paid in or out.", ["orders"]),
  "wallet.refused": action("Money was asked for that is not there.", ["orders"]),
  "order.failed": action("An order could not be met.", ["orders"]),
  "order.inventory_failed": action("Inventory gave no answer that an order could use.", ["orders"]),
  "order.released": action("The reservation of an order that ended was given back.", ["orders"]),
  "order.sweep_failed": action("Orders left over could not be settled; it will be tried again.", ["orders"]),
  "catalogue.changed": action("A piece was added or changed.", ["orders"]),
  "fault.on": action("A fault was switched on.", ["orders", "inventory", "generator"]),
  "fault.off": action("A fault was switched off, or its time had passed.", ["orders", "inventory", "generator"]),
  "stock.reserved": action("Pieces were set aside for an order.", ["inventory"]),
  "stock.refused": action("A reservation found too few pieces.", ["inventory"]),
  "stock.released": action("Reserved pieces went back on the shelf.", ["inventory"]),
  "stock.committed": action("Reserved pieces were sold.", ["inventory"]),
  "stock.expired": action("A reservation was held for too long: its pieces went back on the shelf.", ["inventory"]),
  "stock.sweep_failed": action("Reservations past their time could not be ended; tried again soon.", ["inventory"]),
  "stock.restocked": action("Pieces were added to the stock.", ["inventory"]),
  "db.query_sample": action("A statement the database saw run, wait or leave idle for long; its text is normalised.", [
    "postgres",
  ]),
  "db.top_query": action("A statement among those that cost the database most in the last minute.", ["postgres"]),
  authn_login_success: action("A person signed in.", ["auth"]),
  authn_login_fail: action("A sign-in was refused.", ["auth"]),
  authn_token_created: action("A token or an ingest key was issued.", ["auth"]),
  authn_token_revoked: action("A token, a session or an ingest key was taken back.", ["auth"]),
  authn_impossible_travel: action("Sign-ins of one person came from more networks than a person travels through.", [
    "auth",
  ]),
  authn_login_fail_max: action("Failed sign-ins reached the number from which on they are delayed.", ["auth"]),
  authn_login_successafterfail: action("A person signed in after many failures: the password may be guessed.", [
    "auth",
  ]),
  authn_many_accounts: action("One address failed to sign in to many accounts.", ["auth"]),
  authn_new_origin: action("A person signed in from an address and an agent never seen with them.", ["auth"]),
  authn_password_change: action("A password was changed, or was not.", ["auth"]),
  authn_second_factor: action("A second factor was set up, used or removed, or was not.", ["auth"]),
  authn_token_reuse: action("A refresh token was used twice: one of its holders stole it.", ["auth"]),
  authz_admin: action("An administrator changed a person or the signing keys.", ["auth"]),
  authz_change: action("The role of a person was changed.", ["auth"]),
  excess_rate_limit_exceeded: action("Attempts to prove an identity came too fast.", ["auth"]),
  session_created: action("A session began.", ["auth"]),
  session_expired: action("A session was ended.", ["auth"]),
  session_logout: action("A person signed out.", ["auth"]),
  session_renewed: action("A session was renewed by its refresh token.", ["auth"]),
  session_use_after_expire: action("A session that is over was used.", ["auth"]),
  user_created: action("A person registered.", ["auth"]),
  user_updated: action("A person was disabled, enabled or given a new password.", ["auth"]),
  "auth.audit_chain_broken": action("A row of the audit log was altered, removed or put in between.", ["auth"]),
  "auth.audit_chain_checked": action("The audit log was read from its first row to its last, or could not be.", [
    "auth",
  ]),
  "auth.key_created": action("A signing key was made.", ["auth"]),
  "auth.key_rotation_failed": action("The signing key is due and could not be changed; tried again later.", ["auth"]),
  "auth.ingest_keys_loaded": action("Preset ingest keys were stored.", ["auth"]),
  "auth.clients_loaded": action("Preset OAuth clients were stored.", ["auth"]),
  authz_fail: action("A valid identity asked for more than it may have.", ["auth"]),
  "gateway.refused": action("The gateway refused a request.", ["gateway"]),
  "gateway.feed_lost": action("The feed of revocations and ingest keys is away; what is known stays known.", [
    "gateway",
  ]),
  "gateway.certificate_changed": action("A new TLS certificate is in use.", ["gateway"]),
  "gateway.certificate_failed": action("Changed TLS files do not make a certificate; the old one stays in use.", [
    "gateway",
  ]),
  "gateway.process_ended": action("A process of the gateway ended by itself and is started again.", ["gateway"]),
  "gateway.upstream_back": action("An upstream that had failed answers again.", ["gateway"]),
  "gateway.upstream_failed": action("An upstream could not be reached or broke off.", ["gateway"]),
  "console.part_failed": action("A part of a page could not be drawn.", ["console"]),
  "alert.received": action("Alertmanager told of alerts that changed.", ["notifier"]),
  "alert.delivered": action("A message reached its target.", ["notifier"]),
  "alert.delivery_failed": action("A message did not reach its target; it is tried again.", ["notifier"]),
  "alert.given_up": action("A message became a dead letter.", ["notifier"]),
  "alert.replayed": action("Dead letters were put into the outbox again.", ["notifier"]),
  "alert.discarded": action("A dead letter was removed: nobody needs to be told any more.", ["notifier"]),
  "target.changed": action("A target of alerts was made, changed, tested or removed.", ["notifier"]),
  "target.gone": action("A webhook answered that it wants no more (410) and is disabled.", ["notifier"]),
  "alert.silenced": action("Somebody silenced an alert for a while.", ["console"]),
  "threshold.changed": action("Somebody set what is worth an alert, for everyone or for their own pages.", ["console"]),
  "notifier.caught_up": action("What was told while the database was away is stored.", ["notifier"]),
  "notifier.degraded": action("The database is away: alerts are told directly, without the outbox.", ["notifier"]),
  "notifier.outbox_failed": action("The outbox could not be worked on; it is tried again.", ["notifier"]),
  "generator.seeded": action("The demo catalogue and stock are in place.", ["generator"]),
  "generator.failed": action("A simulated customer got an answer nobody should get.", ["generator"]),
  "generator.scenario": action("A scenario is played from now on, or its faults could not be switched.", ["generator"]),
  "generator.report": action("What the simulated customers sent so far.", ["generator"]),
} as const satisfies Record<string, LogAction>;

type ListedLogActions = typeof logActions;

/** A team outside this repository adds its actions by declaration merging (docs/instrument-your-service.md). */
export interface LogActions extends ListedLogActions {}

export type LogActionName = keyof LogActions;

/** Events of who came in, who was kept out and who changed what; none of their records may get lost. */
export const securityActions: readonly LogActionName[] = Object.keys(logActions).filter(isSecurityAction);

export function isSecurityAction(name: string): name is keyof ListedLogActions {
  return /^(?:authn|authz|session|user|excess)_/.test(name);
}

/** What people may set in the console; the alert of each falls back to a default of its own. */
export const thresholdNames = [
  "error_ratio",
  "latency_p95_seconds",
  "slow_queries_per_minute",
  "failed_sign_ins_per_minute",
  "memory_bytes",
  "cpu_ratio",
  "database_connections_ratio",
] as const;

export const metrics = {
  httpServerRequestDuration: metric({
    name: "http.server.request.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of HTTP server requests.",
    attributes: {
      "http.request.method": httpMethods,
      "http.route": "bounded",
      "http.response.status_code": "bounded",
      "error.type": "bounded",
    },
    services: "all",
    buckets: httpDurationBuckets,
  }),
  httpServerActiveRequests: metric({
    name: "http.server.active_requests",
    kind: "up_down_counter",
    unit: "{request}",
    description: "HTTP server requests in flight.",
    attributes: {},
    services: "all",
  }),
  httpClientRequestDuration: metric({
    name: "http.client.request.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of HTTP client requests.",
    attributes: {
      "http.request.method": httpMethods,
      "server.address": "bounded",
      "server.port": "bounded",
      "http.response.status_code": "bounded",
      "error.type": "bounded",
    },
    services: ["gateway", "orders", "generator"],
    buckets: httpDurationBuckets,
  }),
  dbClientOperationDuration: metric({
    name: "db.client.operation.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of database client operations.",
    attributes: {
      "db.system.name": ["postgresql"],
      "db.namespace": "bounded",
      "db.operation.name": "bounded",
      "server.address": "bounded",
      "server.port": "bounded",
      "error.type": "bounded",
    },
    services: withDatabase,
  }),
  dbSlowQueries: metric({
    name: "db.slow_queries",
    kind: "counter",
    unit: "{query}",
    description: "Queries that took longer than the slow-query threshold.",
    attributes: {},
    services: withDatabase,
  }),
  appUp: metric({
    name: "app.up",
    kind: "gauge",
    unit: "{instance}",
    description: "1 while the service is ready, 0 while it is alive but not ready: the heartbeat of pushed metrics.",
    attributes: {},
    services: "all",
  }),
  processMemoryUsage: metric({
    name: "process.memory.usage",
    kind: "up_down_counter",
    unit: "By",
    description: "Resident memory of the process.",
    attributes: {},
    services: "all",
  }),
  processCpuTime: metric({
    name: "process.cpu.time",
    kind: "counter",
    unit: "s",
    description: "Processor seconds used by the process.",
    attributes: { "cpu.mode": ["user", "system"] },
    services: "all",
  }),
  logStdoutDropped: metric({
    name: "log.stdout.dropped",
    kind: "counter",
    unit: "{line}",
    description: "Log lines that did not get to stdout because nobody read it; by OTLP they are sent all the same.",
    attributes: {},
    services: "all",
  }),
  telemetryDropped: metric({
    name: "telemetry.export.dropped",
    kind: "counter",
    unit: "By",
    description: "Encoded telemetry given up by the exporter, by signal and reason.",
    attributes: {
      signal: signals,
      reason: ["refused", "buffer_full", "shutdown"],
    },
    services: "all",
  }),
  telemetryPending: metric({
    name: "telemetry.export.pending",
    kind: "up_down_counter",
    unit: "By",
    description: "Encoded telemetry held until its endpoint takes it: what a crash would take.",
    attributes: { signal: signals },
    services: "all",
  }),
  upstreamCircuitState: metric({
    name: "upstream.circuit.state",
    kind: "gauge",
    unit: "{circuit}",
    description: "1 for the state the circuit of a service that is called is in, 0 for the others.",
    attributes: { upstream: "bounded", state: ["closed", "half_open", "open"] },
    services: ["orders"],
  }),
  upstreamRejections: metric({
    name: "upstream.circuit.rejections",
    kind: "counter",
    unit: "{call}",
    description: "Calls to another service that were not made because its circuit is open.",
    attributes: { upstream: "bounded" },
    services: ["orders"],
  }),
  upstreamRetries: metric({
    name: "upstream.retries",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts of calls to another service beyond the first, by why the one before failed.",
    attributes: { upstream: "bounded", reason: ["status", "timeout", "connection"] },
    services: ["orders"],
  }),
  ordersPlaced: metric({
    name: "orders.placed",
    kind: "counter",
    unit: "{order}",
    description: "Orders taken, by the state they ended their placing in.",
    attributes: {
      "order.kind": ["buy", "sell"],
      "order.status": ["reserved", "failed"],
      "order.failure_reason": ["out_of_stock", "not_owned", "inventory_unavailable", "interrupted"],
      "piece.kind": ["watch", "jewellery", "leather", "couture"],
      "piece.maison": "bounded",
    },
    services: ["orders"],
  }),
  ordersSteps: metric({
    name: "orders.steps",
    kind: "counter",
    unit: "{order}",
    description: "Orders that reached a state, and why where it ended them: rate, funnel and failures.",
    attributes: {
      "order.kind": ["buy", "sell"],
      "order.status": ["placed", "reserved", "paid", "fulfilled", "failed", "cancelled", "expired"],
      "order.reason": [
        "out_of_stock",
        "not_owned",
        "inventory_unavailable",
        "interrupted",
        "reservation_lost",
        "customer",
        "not_paid",
      ],
      "piece.kind": ["watch", "jewellery", "leather", "couture"],
      "piece.maison": "bounded",
    },
    services: ["orders"],
  }),
  ordersRefused: metric({
    name: "orders.refused",
    kind: "counter",
    unit: "{request}",
    description: "Requests about orders that changed nothing, by what was asked and why not.",
    attributes: {
      step: ["place", "pay", "cancel"],
      reason: ["unknown_piece", "price_changed", "insufficient_funds", "wrong_state", "key_conflict", "key_in_flight"],
    },
    services: ["orders"],
  }),
  ordersValue: metric({
    name: "orders.value",
    kind: "counter",
    unit: "{currency}",
    description: "Value of fulfilled orders in whole units of their currency.",
    attributes: {
      "order.kind": ["buy", "sell"],
      "piece.kind": ["watch", "jewellery", "leather", "couture"],
      "piece.maison": "bounded",
      currency: "bounded",
    },
    services: ["orders"],
  }),
  ordersPieces: metric({
    name: "orders.pieces",
    kind: "counter",
    unit: "{piece}",
    description: "Pieces of fulfilled orders.",
    attributes: {
      "order.kind": ["buy", "sell"],
      "piece.kind": ["watch", "jewellery", "leather", "couture"],
      "piece.maison": "bounded",
    },
    services: ["orders"],
  }),
  ordersDuration: metric({
    name: "orders.duration",
    kind: "histogram",
    unit: "s",
    description: "From the placing of an order to its end.",
    attributes: {
      "order.kind": ["buy", "sell"],
      "order.status": ["fulfilled", "failed", "cancelled", "expired"],
    },
    services: ["orders"],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
  }),
  ordersOpen: metric({
    name: "orders.open",
    kind: "gauge",
    unit: "{order}",
    description: "Orders that have not ended, by state; every process of orders reports the same number.",
    attributes: { "order.kind": ["buy", "sell"], "order.status": ["placed", "reserved", "paid"] },
    services: ["orders"],
  }),
  ordersOpenOldest: metric({
    name: "orders.open.oldest",
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest order in each state that is not an end; 0 where there is none.",
    attributes: { "order.status": ["placed", "reserved", "paid"] },
    services: ["orders"],
  }),
  walletMovements: metric({
    name: "wallet.movements",
    kind: "counter",
    unit: "{movement}",
    description: "Movements of money in customers' wallets, and those refused for want of it.",
    attributes: {
      movement: ["deposit", "withdrawal", "hold", "release", "capture", "payout"],
      outcome: ["done", "insufficient_funds"],
      currency: "bounded",
    },
    services: ["orders"],
  }),
  walletVolume: metric({
    name: "wallet.volume",
    kind: "counter",
    unit: "{currency}",
    description: "Money moved in customers' wallets, in whole units of its currency.",
    attributes: {
      movement: ["deposit", "withdrawal", "hold", "release", "capture", "payout"],
      currency: "bounded",
    },
    services: ["orders"],
  }),
  walletBalance: metric({
    name: "wallet.balance",
    kind: "gauge",
    unit: "{currency}",
    description: "Money in all wallets in whole units of its currency; every process of orders reports the same.",
    attributes: { state: ["available", "held"], currency: "bounded" },
    services: ["orders"],
  }),
  collectionValue: metric({
    name: "collection.value",
    kind: "gauge",
    unit: "{currency}",
    description: "What all collections cost and what they are worth now, in whole units of the currency.",
    attributes: { basis: ["cost", "present"], currency: "bounded" },
    services: ["orders"],
  }),
  collectionPieces: metric({
    name: "collection.pieces",
    kind: "gauge",
    unit: "{piece}",
    description: "Pieces in customers' collections.",
    attributes: { "piece.kind": ["watch", "jewellery", "leather", "couture"] },
    services: ["orders"],
  }),
  customersActive: metric({
    name: "customers.active",
    kind: "gauge",
    unit: "{customer}",
    description: "Customers who ordered or moved money within the window.",
    attributes: { window: ["5m", "1h", "24h"] },
    services: ["orders"],
  }),
  inventoryReservations: metric({
    name: "inventory.reservations",
    kind: "counter",
    unit: "{reservation}",
    description: "Reservations asked for, and what became of them.",
    attributes: { outcome: ["held", "out_of_stock", "committed", "released", "expired"] },
    services: ["inventory"],
  }),
  inventoryReservationAge: metric({
    name: "inventory.reservation.age",
    kind: "histogram",
    unit: "s",
    description: "How long reservations were held before they ended.",
    attributes: { outcome: ["committed", "released", "expired"] },
    services: ["inventory"],
    buckets: [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600],
  }),
  inventoryReservationsHeld: metric({
    name: "inventory.reservations.held",
    kind: "gauge",
    unit: "{reservation}",
    description: "Reservations held now; every process of inventory reports the same number.",
    attributes: {},
    services: ["inventory"],
  }),
  inventoryReservationsOldest: metric({
    name: "inventory.reservations.oldest",
    kind: "gauge",
    unit: "s",
    description: "Age of the oldest reservation still held, 0 without one; every process reports the same number.",
    attributes: {},
    services: ["inventory"],
  }),
  inventoryStock: metric({
    name: "inventory.stock",
    kind: "gauge",
    unit: "{piece}",
    description: "Pieces in stock by state, maison and kind; every process of inventory reports the same number.",
    attributes: {
      state: ["available", "reserved"],
      "piece.kind": [...pieceKinds, "unknown"],
      "piece.maison": "bounded",
    },
    services: ["inventory"],
  }),
  inventoryLowStock: metric({
    name: "inventory.stock.low",
    kind: "gauge",
    unit: "{piece}",
    description: "Different pieces of which three or fewer are available; every process reports the same number.",
    attributes: { "piece.kind": [...pieceKinds, "unknown"], "piece.maison": "bounded" },
    services: ["inventory"],
  }),
  faultActive: metric({
    name: "fault.active",
    kind: "gauge",
    unit: "{fault}",
    description: "1 while an injected fault is on, 0 while it is off; told only where fault injection is enabled.",
    attributes: { "fault.name": faultNames },
    services: ["orders", "inventory", "generator"],
  }),
  authAttempts: metric({
    name: "auth.attempts",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts to prove an identity, by method and outcome.",
    attributes: {
      "auth.method": [
        "password",
        "client_credentials",
        "token_exchange",
        "registration",
        "refresh_token",
        "session_cookie",
        "totp",
        "backup_code",
      ],
      "auth.outcome": ["success", "failure"],
      "auth.failure_reason": [
        "invalid_credentials",
        "invalid_scope",
        "name_taken",
        "session_over",
        "throttled",
        "token_reused",
        "unauthorized_client",
        "unavailable",
        "unknown_subject",
        "weak_password",
      ],
    },
    services: ["auth"],
  }),
  authAuditChainChecks: metric({
    name: "auth.audit_chain.checks",
    kind: "counter",
    unit: "{check}",
    description: "Checks of the audit log from its first row to its last; failed ones could not be finished.",
    attributes: { outcome: ["intact", "broken", "failed"] },
    services: ["auth"],
  }),
  authAuditChainIntact: metric({
    name: "auth.audit_chain.intact",
    kind: "gauge",
    unit: "{log}",
    description:
      "1 while every row of the audit log follows from the one before, 0 once one does not; told once checked.",
    attributes: {},
    services: ["auth"],
  }),
  securityEvents: metric({
    name: "security.events",
    kind: "counter",
    unit: "{event}",
    description: "Security events that were written to the log; the collector counts those that reach it.",
    attributes: { action: securityActions },
    services: "all",
  }),
  authActiveSessions: metric({
    name: "auth.sessions.active",
    kind: "gauge",
    unit: "{session}",
    description: "Sessions of people that are not over; every process of auth reports the same number.",
    attributes: {},
    services: ["auth"],
  }),
  authAuthorizationViolations: metric({
    name: "auth.authorization.violations",
    kind: "counter",
    unit: "{request}",
    description: "Requests of a valid identity for more than it may have, at the auth service.",
    attributes: { reason: ["insufficient_scope", "no_session", "step_up_required", "cross_site", "demo_visitor"] },
    services: ["auth"],
  }),
  authPasswordChanges: metric({
    name: "auth.password.changes",
    kind: "counter",
    unit: "{change}",
    description: "Attempts to change a password, by outcome.",
    attributes: { "auth.outcome": ["success", "failure"] },
    services: ["auth"],
  }),
  authSuspicions: metric({
    name: "auth.suspicions",
    kind: "counter",
    unit: "{event}",
    description: "Sign-ins, or failures to sign in, that look like somebody else's.",
    attributes: {
      reason: ["new_origin", "success_after_failures", "impossible_pace", "many_accounts", "many_failures"],
    },
    services: ["auth"],
  }),
  authThrottled: metric({
    name: "auth.throttled",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts refused because they came too fast, by what limits them.",
    attributes: {
      limit: [
        "address",
        "account",
        "account_and_address",
        "device",
        "guessed_secret",
        "registration",
        "second_factor",
        "session",
      ],
    },
    services: ["auth"],
  }),
  authTokenRefusals: metric({
    name: "auth.token.refusals",
    kind: "counter",
    unit: "{token}",
    description: "Access tokens the auth service itself was shown and refused, by reason.",
    attributes: {
      reason: tokenRefusals,
    },
    services: ["auth"],
  }),
  authTokenReuse: metric({
    name: "auth.token.reuse",
    kind: "counter",
    unit: "{token}",
    description: "Refresh tokens that were used twice, which ends their session.",
    attributes: {},
    services: ["auth"],
  }),
  twofaAttempts: metric({
    name: "twofa.attempts",
    kind: "counter",
    unit: "{attempt}",
    description: "Second factors that were tried, by kind and outcome.",
    attributes: { "auth.method": ["totp", "backup_code"], "auth.outcome": ["success", "failure"] },
    services: ["auth"],
  }),
  twofaChanges: metric({
    name: "twofa.changes",
    kind: "counter",
    unit: "{change}",
    description: "Second factors that were set up or removed, and backup codes made anew.",
    attributes: { change: ["enabled", "disabled", "codes_renewed"] },
    services: ["auth"],
  }),
  gatewayRefusals: metric({
    name: "gateway.refusals",
    kind: "counter",
    unit: "{request}",
    description: "Requests the gateway refused, by reason.",
    attributes: {
      reason: [
        "missing_token",
        ...tokenRefusals,
        "insufficient_scope",
        "service_not_allowed",
        "session_over",
        "cross_site",
        "no_upgrade",
        "cannot_verify",
        "bad_path",
        "unknown_route",
        "method_not_allowed",
        "too_large",
        "unsupported_media_type",
        "unsupported_encoding",
        "bad_encoding",
        "slow_body",
        "quota_requests",
        "quota_bytes",
        "quota_in_flight",
        "quota_failures",
        "overloaded",
        "upstream_down",
        "upstream_timeout",
        "upstream_failed",
        "starting",
        "internal",
      ],
      route: "bounded",
      "client.id": "bounded",
    },
    services: ["gateway"],
  }),
  gatewayIngestSize: metric({
    name: "gateway.ingest.size",
    kind: "counter",
    unit: "By",
    description: "Encoded telemetry accepted at the door (2xx), by client and signal.",
    maxSeries: 1_600,
    attributes: { "client.id": "bounded", signal: signals },
    services: ["gateway"],
  }),
  gatewayIngestRequests: metric({
    name: "gateway.ingest.requests",
    kind: "counter",
    unit: "{request}",
    description: "Telemetry requests accepted at the door (2xx), by client and signal.",
    maxSeries: 1_600,
    attributes: { "client.id": "bounded", signal: signals },
    services: ["gateway"],
  }),
  gatewayRequestDuration: metric({
    name: "gateway.request.duration",
    kind: "histogram",
    unit: "s",
    description:
      "Requests to rows of the table, by what kind of client asked; those that a full answer streams end later.",
    attributes: {
      "http.route": "bounded",
      "client.class": ["service", "key", "person", "client", "anonymous"],
      outcome: ["ok", "refused", "failed"],
    },
    services: ["gateway"],
    buckets: httpDurationBuckets,
  }),
  gatewayRequestsHeld: metric({
    name: "gateway.requests.held",
    kind: "up_down_counter",
    unit: "{request}",
    description: "Requests that hold a place: let in, asked of an upstream, or waiting for either.",
    attributes: { state: ["inside", "upstream", "waiting"] },
    services: ["gateway"],
  }),
  gatewayTails: metric({
    name: "gateway.tails",
    kind: "up_down_counter",
    unit: "{connection}",
    description: "Live tails that are open.",
    attributes: {},
    services: ["gateway"],
  }),
  gatewayUpstreamUp: metric({
    name: "gateway.upstream.up",
    kind: "gauge",
    unit: "{upstream}",
    description:
      "1 while the last answer of an upstream was no failure of its own, 0 after a failure; told once asked.",
    attributes: {
      upstream: [
        "auth",
        "orders",
        "inventory",
        "notifier",
        "console",
        "generator",
        "collector",
        "prometheus",
        "loki",
        "jaeger",
        "alertmanager",
        "grafana",
      ],
    },
    services: ["gateway"],
  }),
  gatewayKeysAge: metric({
    name: "gateway.jwks.age",
    kind: "gauge",
    unit: "s",
    description: "Time since the issuer's key set was last fetched; above 300 it is being kept for want of a new one.",
    attributes: {},
    services: ["gateway"],
  }),
  gatewayFeedAge: metric({
    name: "gateway.feed.age",
    kind: "gauge",
    unit: "s",
    description: "Time since the feed of revocations and ingest keys last answered; above 30 it is stale.",
    attributes: {},
    services: ["gateway"],
  }),
  notifierAlerts: metric({
    name: "notifier.alerts",
    kind: "counter",
    unit: "{alert}",
    description: "Changes of alerts that Alertmanager told of; what it repeats is not counted.",
    attributes: { status: ["firing", "resolved"], tier: tiers },
    services: ["notifier"],
  }),
  notifierAttempts: metric({
    name: "notifier.attempts",
    kind: "counter",
    unit: "{attempt}",
    description: "Attempts to deliver a message, by target, outcome and what went wrong.",
    attributes: {
      channel: channels,
      target: "bounded",
      outcome: ["delivered", "retried", "dead"],
      reason: deliveryFailures,
    },
    services: ["notifier"],
  }),
  notifierDeliveryDelay: metric({
    name: "notifier.delivery.delay",
    kind: "histogram",
    unit: "s",
    description: "From when a message was due until it was delivered.",
    attributes: { channel: channels, tier: tiers },
    services: ["notifier"],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400],
  }),
  notifierMessages: metric({
    name: "notifier.messages",
    kind: "gauge",
    unit: "{message}",
    description:
      "Messages not delivered: due, held by quiet hours, or given up; every process reports the same number.",
    attributes: { state: ["due", "held", "dead"] },
    services: ["notifier"],
  }),
  notifierOldestDue: metric({
    name: "notifier.oldest_due.age",
    kind: "gauge",
    unit: "s",
    description:
      "How long the oldest message of a target has been due, 0 where none is; every process reports the same.",
    attributes: { target: "bounded" },
    services: ["notifier"],
  }),
  notifierUnstored: metric({
    name: "notifier.unstored",
    kind: "gauge",
    unit: "{change}",
    description: "Changes of alerts heard of while the database was away that are not stored yet.",
    attributes: {},
    services: ["notifier"],
  }),
  vitrineThreshold: metric({
    name: "vitrine.threshold",
    kind: "gauge",
    unit: "{threshold}",
    description: "The value above which an alert is to fire: as people set it in the console, or its default.",
    attributes: { "threshold.name": thresholdNames },
    services: ["console"],
  }),
  generatorScenario: metric({
    name: "generator.scenario",
    kind: "gauge",
    unit: "{scenario}",
    description: "1 for the scenario that is played, 0 for the others.",
    attributes: { scenario: scenarioNames },
    services: ["generator"],
  }),
  generatorRequests: metric({
    name: "generator.requests",
    kind: "counter",
    unit: "{request}",
    description: "Requests simulated customers sent, by what they wanted and what they got.",
    attributes: {
      action: [
        "browse",
        "view",
        "order",
        "pay",
        "cancel",
        "orders",
        "wallet",
        "deposit",
        "collection",
        "sell",
        "register",
        "sign_in",
        "attack",
        "restock",
        "seed",
        "fault",
      ],
      outcome: ["ok", "refused", "failed", "unreachable", "skipped"],
    },
    services: ["generator"],
  }),
} as const;

/** Attributes of spans and log records under names of our own. */
export const attributes = {
  requestId: "request.id",
  clientId: "client.id",
  orderId: "order.id",
  pieceId: "piece.id",
  deliveryId: "delivery.id",
  targetId: "target.id",
} as const;

/** Why the gateway refused a request. */
export type RefusalReason = (typeof metrics.gatewayRefusals.attributes.reason)[number];
