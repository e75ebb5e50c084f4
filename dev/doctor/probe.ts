/** One marked log, metric and span as OTLP/JSON, and the queries that find them again. */

export type ProbeSignal = "logs" | "metrics" | "traces";

export const probeSignals: readonly ProbeSignal[] = ["logs", "metrics", "traces"];

export interface Probe {
  /** Stands in the log, the metric's label and the span, and nowhere else. */
  readonly marker: string;
  readonly traceId: string;
  readonly payloads: Readonly<Record<ProbeSignal, string>>;
}

const metricName = "vitrine.doctor.probe";

/** @param nowMs milliseconds since the epoch, the time stamped on all three */
export function createProbe(nowMs: number): Probe {
  const marker = `doctor-${crypto.randomUUID()}`;
  const traceId = randomHex(16);
  const nano = `${nowMs}000000`;
  // Whose it is the gateway says: a name of its own would be a false claim (IdentityMismatch).
  const resource = { attributes: [] };
  const scope = { name: "vitrine.doctor" };
  const attributes = [attribute("marker", marker)];
  return {
    marker,
    traceId,
    payloads: {
      logs: JSON.stringify({
        resourceLogs: [
          {
            resource,
            scopeLogs: [
              {
                scope,
                logRecords: [
                  {
                    timeUnixNano: nano,
                    severityNumber: 9,
                    severityText: "info",
                    body: { stringValue: "doctor's probe" },
                    attributes,
                    traceId,
                    spanId: randomHex(8),
                  },
                ],
              },
            ],
          },
        ],
      }),
      metrics: JSON.stringify({
        resourceMetrics: [
          {
            resource,
            scopeMetrics: [
              {
                scope,
                metrics: [
                  { name: metricName, gauge: { dataPoints: [{ timeUnixNano: nano, asDouble: 1, attributes }] } },
                ],
              },
            ],
          },
        ],
      }),
      traces: JSON.stringify({
        resourceSpans: [
          {
            resource,
            scopeSpans: [
              {
                scope,
                spans: [
                  {
                    traceId,
                    spanId: randomHex(8),
                    name: "doctor's probe",
                    kind: 1,
                    startTimeUnixNano: nano,
                    endTimeUnixNano: `${nowMs + 1}000000`,
                    attributes,
                  },
                ],
              },
            ],
          },
        ],
      }),
    },
  };
}

/** Where the gateway answers whether the probe of a signal has arrived. */
export function probeQuery(probe: Probe, signal: ProbeSignal, nowMs: number): string {
  switch (signal) {
    case "logs": {
      const query = new URLSearchParams({
        query: `{service_name=~".+"} | marker="${probe.marker}"`,
        start: String((nowMs - 600_000) * 1e6),
        end: String((nowMs + 60_000) * 1e6),
        limit: "1",
      });
      return `/loki/api/v1/query_range?${query}`;
    }
    case "metrics": {
      const query = new URLSearchParams({
        query: `last_over_time(${metricName.replaceAll(".", "_")}{marker="${probe.marker}"}[10m])`,
      });
      return `/prometheus/api/v1/query?${query}`;
    }
    case "traces":
      return `/jaeger/api/v3/traces/${probe.traceId}`;
  }
}

/** Whether the engine's answer holds the probe. */
export function holdsProbe(probe: Probe, signal: ProbeSignal, answer: string): boolean {
  return answer.includes(signal === "traces" ? "doctor's probe" : probe.marker);
}

function attribute(key: string, value: string) {
  return { key, value: { stringValue: value } };
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
