import type { Advice } from "./advice.ts";
import type { ProbeSignal } from "./probe.ts";

/** The places telemetry passes, in order, and the one that tells people. */
export type HopName =
  "gateway" | "auth" | "clock" | "token" | "collector" | "prometheus" | "loki" | "jaeger" | "alertmanager";

export interface Hop {
  readonly hop: HopName;
  readonly signal?: ProbeSignal;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; only when not `ok`. */
  readonly mend?: string;
  readonly ms: number;
}

export interface Addresses {
  /** The gateway's main port and its OTLP port. */
  readonly gateway: string;
  readonly otlp: string;
  /** Health and own metrics of the collector, and the engines, past the gateway: only to tell which hop is broken. */
  readonly collectorHealth: string;
  readonly collectorMetrics: string;
  readonly prometheusReady: string;
  readonly lokiReady: string;
  readonly jaegerReady: string;
  readonly alertmanagerReady: string;
}

export interface ExamineOptions {
  readonly addresses: Addresses;
  readonly advice: Advice;
  /** A token that may write and read telemetry; throws with what the token endpoint said. */
  readonly token: () => Promise<string>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** How long a probe may take to be found, in milliseconds. */
  readonly deadlineMs: number;
  /** False where no engine keeps traces: a span is then followed to the collector. Default true. */
  readonly keepsTraces?: boolean;
}

export const engineOf = { logs: "loki", metrics: "prometheus", traces: "jaeger" } as const satisfies Record<
  ProbeSignal,
  HopName
>;
