/** What is not waited for in a healthy system of three minutes: of all services, or of those named; and why. */
export interface Rare {
  readonly services?: readonly string[];
  readonly because: string;
}

const broken = { because: "something has to be broken; the tests of the service, or of the kit, break it" };
const attack = { because: "somebody has to attack, or to mistype on and on; the tests of auth do" };
const person = { because: "a person has to do it by hand; the tests of auth do" };
const secondFactor = { because: "nobody of the demo has a second factor; the tests of auth set one up" };
const administrator = { because: "an administrator has to act; the tests of auth and tests/contract do" };
const delivery = { because: "a target has to be set up and an alert to fire; the tests of the notifier do both" };
const fault = { because: "a fault has to be switched on; tests/stack/alerts.test.ts does" };
const ending = { because: "a process has to end, or not to start; the tests of dev and of the kit do both" };
const healthOnly = { services: ["generator"], because: "it is asked for its health only" };

export const rareMetrics: Readonly<Record<string, Rare>> = {
  "auth.authorization.violations": attack,
  "auth.password.changes": person,
  "auth.suspicions": attack,
  "auth.throttled": attack,
  "auth.token.refusals": attack,
  "auth.token.reuse": attack,
  "db.client.operation.duration": { services: ["console"], because: "somebody has to ask for thresholds" },
  "db.slow_queries": fault,
  "fault.active": fault,
  "http.server.active_requests": healthOnly,
  "http.server.request.duration": healthOnly,
  "log.stdout.dropped": broken,
  "notifier.attempts": delivery,
  "notifier.delivery.delay": delivery,
  "notifier.oldest_due.age": delivery,
  "security.events": {
    services: ["console", "gateway", "generator", "inventory", "notifier", "orders"],
    because: "auth alone tells of security events by now",
  },
  "telemetry.export.dropped": broken,
  "twofa.attempts": secondFactor,
  "twofa.changes": secondFactor,
  "upstream.circuit.rejections": fault,
  "upstream.retries": fault,
  "vitrine.threshold": { because: "somebody has to set one; the tests of the console do" },
};

export const rareEdges: Readonly<Record<string, Rare>> = {
  "console>vitrine": { because: "somebody has to set a threshold, or to ask for them" },
};

export const rareActions: Readonly<Record<string, Rare>> = {
  "alert.delivered": delivery,
  "alert.delivery_failed": delivery,
  "alert.discarded": administrator,
  "alert.given_up": delivery,
  "alert.replayed": delivery,
  "alert.silenced": person,
  "auth.audit_chain_broken": { because: "somebody has to tamper with the database; the tests of auth do" },
  "auth.ingest_keys_loaded": { because: "a deployment has to preset some; the tests of auth do" },
  "auth.key_rotation_failed": broken,
  authn_impossible_travel: attack,
  authn_login_fail_max: attack,
  authn_login_successafterfail: attack,
  authn_many_accounts: attack,
  authn_new_origin: attack,
  authn_password_change: person,
  authn_second_factor: secondFactor,
  authn_token_reuse: attack,
  authn_token_revoked: person,
  authz_admin: administrator,
  authz_change: administrator,
  authz_fail: attack,
  "config.invalid": ending,
  "console.part_failed": broken,
  "db.query_sample": fault,
  "db.slow_query": fault,
  excess_rate_limit_exceeded: attack,
  "fault.off": fault,
  "fault.on": fault,
  "gateway.certificate_changed": { because: "TLS has to be set up; the tests of the gateway do" },
  "gateway.certificate_failed": { because: "TLS has to be set up; the tests of the gateway do" },
  "gateway.feed_lost": broken,
  "gateway.process_ended": ending,
  "gateway.upstream_back": broken,
  "gateway.upstream_failed": broken,
  "generator.failed": broken,
  "http.error": broken,
  "http.request": healthOnly,
  "notifier.caught_up": broken,
  "notifier.degraded": broken,
  "notifier.outbox_failed": broken,
  "order.expired": { because: "an order has to be left alone for longer than three minutes" },
  "order.inventory_failed": fault,
  "order.sweep_failed": broken,
  "service.failed": ending,
  "service.not_ready": broken,
  "service.stopped": ending,
  "service.stopping": ending,
  session_expired: person,
  session_logout: person,
  session_renewed: { because: "a session has to be older than its token; the tests of auth do not wait either" },
  session_use_after_expire: attack,
  "stock.expired": { because: "an order has to be left alone for longer than three minutes" },
  "stock.sweep_failed": broken,
  "target.changed": administrator,
  "target.gone": delivery,
  "telemetry.dropped": broken,
  "threshold.changed": person,
  "telemetry.failed": broken,
  "upstream.circuit_closed": fault,
  "upstream.circuit_opened": fault,
  user_updated: administrator,
  "wallet.refused": { because: "a customer has to spend more than they have; the tests of orders do" },
};
