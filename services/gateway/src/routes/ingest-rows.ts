import { lokiBody, otlpBody } from "./bodies.ts";
import type { Route } from "./route.ts";

/** Below the ten seconds exporters wait by default, so that they hear 504 and not silence. */
const ingestRow = {
  methods: ["POST"],
  upstream: "collector",
  forward: "keep",
  body: otlpBody,
  rate: "ingest",
  timeoutMs: 8_000,
  telemetry: "quiet",
  errors: "otlp",
} as const satisfies Partial<Route>;

/** Where telemetry comes in. */
export const ingestRows: readonly Route[] = [
  {
    ...ingestRow,
    path: "/v1/traces",
    ingest: { signal: "traces", format: "otlp" },
    access: ["telemetry:write", "traces:write"],
  },
  {
    ...ingestRow,
    path: "/v1/metrics",
    ingest: { signal: "metrics", format: "otlp" },
    access: ["telemetry:write", "metrics:write"],
  },
  {
    ...ingestRow,
    path: "/v1/logs",
    ingest: { signal: "logs", format: "otlp" },
    access: ["telemetry:write", "logs:write"],
  },
  {
    ...ingestRow,
    path: "/loki/api/v1/push",
    ingest: { signal: "logs", format: "loki" },
    access: ["telemetry:write", "logs:write"],
    forward: { as: "/v1/logs" },
    body: lokiBody,
    errors: "loki",
    basic: true,
  },
];
