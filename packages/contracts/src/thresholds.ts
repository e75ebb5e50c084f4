import { z } from "zod";
import { thresholdNames } from "./telemetry.ts";

/** From which value on something is worth an alert. Values are in the unit of the definition. */

export type ThresholdName = (typeof thresholdNames)[number];

export const thresholdName = z.enum(thresholdNames);

interface ThresholdDefinition {
  readonly title: string;
  /** What a value above it means. */
  readonly description: string;
  readonly unit: "ratio" | "seconds" | "bytes" | "per_minute" | "processors";
  /** As the alert rules have it where nobody set another. */
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** Alerts that compare with it; their runbooks say what to do. */
  readonly alerts: readonly string[];
}

export const thresholds: Readonly<Record<ThresholdName, ThresholdDefinition>> = {
  error_ratio: {
    title: "Failed requests",
    description: "Share of a service's answers in five minutes that are 5xx.",
    unit: "ratio",
    default: 0.05,
    min: 0.0001,
    max: 1,
    alerts: ["HighErrorRate"],
  },
  latency_p95_seconds: {
    title: "Slow answers",
    description: "What one request in twenty takes at least.",
    unit: "seconds",
    default: 1,
    min: 0.001,
    max: 60,
    alerts: ["HighResponseTime"],
  },
  slow_queries_per_minute: {
    title: "Slow statements",
    description: "Statements of a service that take longer than half a second, per minute.",
    unit: "per_minute",
    default: 1,
    min: 0.01,
    max: 10_000,
    alerts: ["SlowQueries"],
  },
  failed_sign_ins_per_minute: {
    title: "Failed sign-ins",
    description: "Attempts to prove an identity that fail, by method, per minute.",
    unit: "per_minute",
    default: 8,
    min: 0.1,
    max: 10_000,
    alerts: ["FailedAuthenticationSpike"],
  },
  memory_bytes: {
    title: "Memory of a service",
    description: "What one of its processes has resident.",
    unit: "bytes",
    default: 536_870_912,
    min: 1_048_576,
    max: 1_099_511_627_776,
    alerts: ["ServiceMemoryHigh"],
  },
  cpu_ratio: {
    title: "Processors",
    description: "Processors a service or the machine keeps busy, 1 being one of them or all of the machine's.",
    unit: "processors",
    default: 0.9,
    min: 0.01,
    max: 64,
    alerts: ["ServiceCpuHigh", "HighCPUUsage"],
  },
  database_connections_ratio: {
    title: "Database connections",
    description: "Share of a service's pool of connections that is in use.",
    unit: "ratio",
    default: 0.8,
    min: 0.01,
    max: 1,
    alerts: ["DatabaseConnectionsHigh"],
  },
};

/** For whom: for everyone, and so for the alerts, or for the pages of whoever sets it. */
export const thresholdScope = z.enum(["everyone", "own"]);

export type ThresholdScope = z.infer<typeof thresholdScope>;

/** Body of `POST /api/console/thresholds`; no value: as if it had never been set. */
export const thresholdChange = z
  .strictObject({
    name: thresholdName,
    scope: thresholdScope.default("own").describe("For everyone it needs `alerts:admin`, and changes what fires."),
    value: z.number().nullable().describe("In the unit of the threshold; null: back to what holds without it."),
  })
  .refine(({ name, value }) => value === null || (value >= thresholds[name].min && value <= thresholds[name].max), {
    path: ["value"],
    error: "must lie between the smallest and the largest value of this threshold",
  });

export type ThresholdChange = z.output<typeof thresholdChange>;

const time = z.iso.datetime();

export const threshold = z.object({
  name: thresholdName,
  title: z.string(),
  description: z.string(),
  unit: z.enum(["ratio", "seconds", "bytes", "per_minute", "processors"]),
  min: z.number(),
  max: z.number(),
  default: z.number().describe("What holds where nobody set another."),
  everyone: z.number().nullable().describe("What an administrator set: alerts compare with it."),
  own: z.number().nullable().describe("What you set for your own pages."),
  alerts: z.array(z.string()).describe("Alerts that compare with it."),
});

export type Threshold = z.infer<typeof threshold>;

export const thresholdRecord = z.object({
  id: z.uuid(),
  name: thresholdName,
  scope: thresholdScope,
  before: z.number().nullable(),
  after: z.number().nullable(),
  changedBy: z.string().describe("Id of the person or client."),
  changedAt: time,
});

export type ThresholdRecord = z.infer<typeof thresholdRecord>;

export const thresholdList = z.object({
  items: z.array(threshold),
  history: z.array(thresholdRecord).describe("Changes for everyone and your own, the newest first."),
});

export type ThresholdList = z.infer<typeof thresholdList>;
