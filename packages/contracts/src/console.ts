import { z } from "zod";

/** What the console tells scripts. Everything is asked of the engines at that moment, with the caller's own rights. */

const time = z.iso.datetime();

/** A source that gave no usable answer; what it would have told is left out. */
const missing = z.object({ source: z.string(), reason: z.string(), detail: z.string().nullable() });

export type MissingSource = z.infer<typeof missing>;

export const firingAlert = z.object({
  name: z.string(),
  severity: z.string(),
  summary: z.string(),
  startedAt: time,
  fingerprint: z.string(),
  silenced: z.boolean(),
  labels: z.record(z.string(), z.string()),
});

export const alertsNow = z.object({
  items: z.array(firingAlert).describe("The worst first, then the newest."),
  missing: z.array(missing),
});

const number = z.string().regex(/^\d{1,3}$/, "a whole number from 1 to 100");

export const summaryQuery = z.strictObject({
  n: number
    .transform(Number)
    .pipe(z.int().min(1, "a whole number from 1 to 100").max(100, "a whole number from 1 to 100"))
    .default(10)
    .describe("Alerts and failed requests at most, 1 to 100. Default 10."),
});

export const summary = z.object({
  at: time,
  services: z.array(
    z.object({
      name: z.string(),
      state: z.enum(["ready", "not_ready", "silent"]),
      requestsPerSecond: z.number(),
      errorRatio: z.number(),
      p95Seconds: z.number().nullable(),
    }),
  ),
  alerts: z.array(firingAlert),
  failures: z
    .array(
      z.object({
        at: time,
        requestId: z.string().nullable(),
        route: z.string(),
        status: z.int(),
        durationMs: z.number().nullable(),
      }),
    )
    .describe("Requests of the last hour that ended with 5xx, the newest first."),
  missing: z.array(missing),
});

export type Summary = z.infer<typeof summary>;

/** What can be asked for over time; each as the recording rules count it, one series per service. */
export const historyMetrics = [
  "requests_per_second",
  "error_ratio",
  "latency_p95_seconds",
  "memory_bytes",
  "processors",
  "orders_per_minute",
] as const;

const moment = z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-21T07:00:00Z" });

export const historyQuery = z.strictObject({
  metric: z.enum(historyMetrics),
  service: z.string().min(1).max(256).optional().describe("Of this service alone."),
  from: moment.optional().describe("Default an hour before the end."),
  to: moment.optional().describe("Default now."),
});

export type HistoryQuery = z.infer<typeof historyQuery>;

export const metricHistory = z.object({
  metric: z.enum(historyMetrics),
  from: time,
  to: time,
  stepSeconds: z.number(),
  series: z.array(
    z.object({
      labels: z.record(z.string(), z.string()),
      points: z.array(z.tuple([time, z.number().nullable()])).describe("When, and the value then."),
    }),
  ),
});

/** Body of `POST /api/console/silences`: one alert that fires, for as long. */
export const silenceRequest = z.strictObject({
  fingerprint: z.string().regex(/^[0-9a-f]{1,64}$/, "the fingerprint of an alert"),
  forHours: z.number().min(0.1).max(168).default(1),
  comment: z.string().min(1).max(500).describe("Why; others read it."),
});

export const silenceMade = z.object({ id: z.string() });
