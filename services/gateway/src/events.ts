import type { AccessClaims } from "@vitrine/contracts/auth";
import { type MetricAttributes, metrics, type RefusalReason } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter, histogram, observe } from "@vitrine/kit/telemetry";
import { anonymous, clientClass, createClientLabels } from "./client-class.ts";
import { type Signal, signals, type Upstream } from "./routes/route.ts";

type Asked = Exclude<Upstream, "self">;

export interface Refusal {
  readonly reason: RefusalReason;
  readonly status: number;
  /** The row's path; absent when the table has none, so that strangers cannot make label values. */
  readonly route?: string | undefined;
  /** From a verified token only. */
  readonly clientId?: string | undefined;
  readonly upstream?: Upstream | undefined;
  readonly cause: unknown;
}

export interface Answered {
  /** The row's path; absent when the table has none. */
  readonly route: string | undefined;
  readonly claims: AccessClaims | undefined;
  readonly status: number;
  readonly seconds: number;
}

export interface GatewayEvents {
  /** Every request, once, with the status it was given. */
  answered(answered: Answered): void;
  refused(refusal: Refusal): void;
  accepted(clientId: string, signal: Signal, bytes: number): void;
  /** An upstream answered 5xx; the answer itself is passed on. */
  upstreamFailed(upstream: Upstream, route: string, status: number): void;
  /** An upstream gave an answer that is no failure of its own. */
  upstreamAnswered(upstream: Upstream): void;
  /** An answer broke off after its first part had gone out. */
  brokenOff(upstream: Upstream, route: string, cause: unknown): void;
}

/** Counts everything and writes at most one line a second of each kind, which says how many it stands for. */
export function createEvents(logger: Logger, now: () => number = Date.now): GatewayEvents {
  const refusals = counter(metrics.gatewayRefusals);
  const ingested = createIngested();
  const admit = createThrottle(now, quietMs);
  const admitFailure = createThrottle(now, failureQuietMs);
  const duration = histogram(metrics.gatewayRequestDuration);
  const durationOf = createDurations();
  const label = createClientLabels();
  const asked = new Set<Asked>();
  const down = new Set<Upstream>();
  /** Of whose failure a line was written: only these are told to be back. */
  const told = new Set<Upstream>();

  function fail(upstream: Upstream): number | undefined {
    if (upstream !== "self") asked.add(upstream);
    down.add(upstream);
    const suppressed = admitFailure(upstream);
    if (suppressed !== undefined) told.add(upstream);
    return suppressed;
  }

  observe(metrics.gatewayUpstreamUp, (report) => {
    for (const upstream of asked) report(down.has(upstream) ? 0 : 1, { upstream });
  });

  return {
    answered: ({ route, claims, status, seconds }) => duration.record(seconds, durationOf(route, claims, status)),
    refused: ({ reason, status, route, clientId, upstream, cause }) => {
      refusals.add(1, {
        reason,
        ...(route === undefined ? {} : { route }),
        "client.id": clientId === undefined ? anonymous : label(clientId),
      });
      const failing = upstream !== undefined && reason.startsWith("upstream_");
      const suppressed = failing ? fail(upstream) : admit(`${reason} ${route ?? ""} ${clientId ?? ""}`);
      if (suppressed === undefined) return;
      const extra = { reason, status, route: route ?? null, client_id: clientId ?? null, suppressed };
      if (reason === "internal") logger.error({ action: "http.error", err: cause, extra }, "a fault of the gateway");
      else if (status < 500) logger.info({ action: "gateway.refused", extra }, `refused: ${reason}`);
      else if (reason.startsWith("upstream_"))
        logger.warn(
          { action: "gateway.upstream_failed", err: cause, extra: { ...extra, upstream: upstream ?? null } },
          `${upstream ?? "an upstream"} failed: ${reason}`,
        );
      else logger.warn({ action: "gateway.refused", err: cause, extra }, `refused: ${reason}`);
    },
    accepted: (clientId, signal, bytes) => {
      const sum = ingested(label(clientId), signal);
      sum.requests += 1;
      sum.bytes += bytes;
    },
    upstreamAnswered: (upstream) => {
      if (upstream !== "self") asked.add(upstream);
      if (down.size === 0 || !down.delete(upstream) || !told.delete(upstream)) return;
      logger.info({ action: "gateway.upstream_back", extra: { upstream } }, `${upstream} answers again`);
    },
    upstreamFailed: (upstream, route, status) => {
      const suppressed = fail(upstream);
      if (suppressed === undefined) return;
      logger.warn(
        { action: "gateway.upstream_failed", extra: { upstream, route, status, suppressed } },
        `${upstream} answered ${status}`,
      );
    },
    brokenOff: (upstream, route, cause) => {
      const suppressed = fail(upstream);
      if (suppressed === undefined) return;
      logger.warn(
        { action: "gateway.upstream_failed", err: cause, extra: { upstream, route, suppressed } },
        `an answer of ${upstream} broke off`,
      );
    },
  };
}

type DurationAttributes = MetricAttributes<typeof metrics.gatewayRequestDuration>;
type Outcome = NonNullable<DurationAttributes["outcome"]>;

/** One object per row, class of client and outcome: what is the same object is found without a look at what is in it. */
function createDurations(): (
  route: string | undefined,
  claims: AccessClaims | undefined,
  status: number,
) => DurationAttributes {
  const known = new Map<string | undefined, Map<string, Readonly<Record<Outcome, DurationAttributes>>>>();
  return (route, claims, status) => {
    const client = clientClass(claims);
    const outcome = status >= 500 ? "failed" : status >= 400 ? "refused" : "ok";
    const byOutcome = known.get(route)?.get(client);
    if (byOutcome !== undefined) return byOutcome[outcome];
    const of = { ...(route === undefined ? {} : { "http.route": route }), "client.class": client };
    const made = {
      ok: Object.freeze({ ...of, outcome: "ok" }),
      refused: Object.freeze({ ...of, outcome: "refused" }),
      failed: Object.freeze({ ...of, outcome: "failed" }),
    } as const;
    known.set(route, (known.get(route) ?? new Map()).set(client, made));
    return made[outcome];
  };
}

interface Ingested {
  requests: number;
  bytes: number;
}

/** What was accepted, by client and signal: summed here and read when metrics are collected. */
function createIngested(): (client: string, signal: Signal) => Ingested {
  const sums = new Map<string, Readonly<Record<Signal, Ingested>>>();
  const read = (report: (value: number, of: { "client.id": string; signal: Signal }) => void, key: keyof Ingested) => {
    for (const [client, bySignal] of sums) {
      for (const signal of signals) {
        const sum = bySignal[signal];
        if (sum.requests > 0) report(sum[key], { "client.id": client, signal });
      }
    }
  };
  observe(metrics.gatewayIngestRequests, (report) => read(report, "requests"));
  observe(metrics.gatewayIngestSize, (report) => read(report, "bytes"));
  return (client, signal) => {
    let bySignal = sums.get(client);
    if (bySignal === undefined) {
      const none = () => ({ requests: 0, bytes: 0 });
      sums.set(client, (bySignal = { traces: none(), metrics: none(), logs: none() }));
    }
    return bySignal[signal];
  };
}

const quietMs = 1_000;
/** An upstream that is away is news once, then a summary. */
const failureQuietMs = 10_000;
const maxKinds = 10_000;

/** Says how many lines of a kind were held back since the last one; `undefined` to hold this one back too. */
function createThrottle(now: () => number, quietMs: number): (kind: string) => number | undefined {
  const kinds = new Map<string, { at: number; held: number }>();
  return (kind) => {
    const last = kinds.get(kind);
    const at = now();
    if (last !== undefined && at - last.at < quietMs) {
      last.held += 1;
      return undefined;
    }
    if (kinds.size >= maxKinds) kinds.clear();
    kinds.set(kind, { at, held: 0 });
    return last?.held ?? 0;
  };
}
