import { context, logs, metrics, propagation, trace } from "@opentelemetry/api";
import { InMemoryLogRecordExporter, type ReadableLogRecord, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { DataPointType, MetricReader } from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { Recordings } from "../telemetry/recordings.ts";

export interface MetricPoint {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The sum or value; of a histogram, its count. */
  readonly value: number;
}

export interface HistogramPoint {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly sum: number;
}

export interface TestTelemetry {
  spans(): readonly ReadableSpan[];
  logs(): readonly ReadableLogRecord[];
  points(metric: string): Promise<readonly MetricPoint[]>;
  histogram(metric: string): Promise<readonly HistogramPoint[]>;
  /** Forgets spans and logs; metrics go on counting. */
  reset(): void;
  stop(): Promise<void>;
}

class CollectingReader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

/**
 * The real SDK of the three signals with everything kept in memory, until `stop`. Start it before what is tested is
 * made: instruments that exist already record nothing. Spans of `pg` need the preload; see `otlp-sink.ts` for those.
 */
export function startTestTelemetry(): TestTelemetry {
  const spans = new InMemorySpanExporter();
  const records = new InMemoryLogRecordExporter();
  const recordings = new Recordings();
  const reader = new CollectingReader({ metricProducers: [recordings] });
  const sdk = new NodeSDK({
    autoDetectResources: false,
    spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
    logRecordProcessors: [new SimpleLogRecordProcessor({ exporter: records })],
    metricReaders: [reader],
  });
  sdk.start();
  recordings.start();
  async function collect(metric: string) {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.name === metric);
  }
  return {
    spans: () => spans.getFinishedSpans(),
    logs: () => records.getFinishedLogRecords(),
    points: async (metric) =>
      (await collect(metric)).flatMap((data) =>
        data.dataPointType === DataPointType.HISTOGRAM || data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM
          ? data.dataPoints.map(({ attributes, value }) => ({ attributes, value: value.count }))
          : data.dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      ),
    histogram: async (metric) =>
      (await collect(metric)).flatMap((data) =>
        data.dataPointType === DataPointType.HISTOGRAM
          ? data.dataPoints.map(({ attributes, value: { count, sum = 0 } }) => ({ attributes, count, sum }))
          : [],
      ),
    reset: () => {
      spans.reset();
      records.reset();
    },
    stop: async () => {
      await sdk.shutdown();
      for (const api of [trace, logs, metrics, context, propagation]) api.disable();
    },
  };
}
