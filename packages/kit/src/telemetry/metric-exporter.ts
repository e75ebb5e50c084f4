import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import type { PushMetricExporter, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { OtlpSender } from "./otlp-sender.ts";

/** The SDK waits for it twice when it stops, to flush and to close; a stopping service has ten seconds in all. */
const flushTimeoutMs = 2_000;

/**
 * An SDK exporter that encodes with the official serialiser and hands the bytes to an {@link OtlpSender}. It reports
 * success once the sender holds them: from there on the sender answers for every byte.
 */
export function metricExporter(sender: OtlpSender): PushMetricExporter {
  return {
    export: (metrics: ResourceMetrics, done: (result: ExportResult) => void) => {
      const bytes = ProtobufMetricsSerializer.serializeRequest(metrics);
      if (bytes === undefined) {
        done({ code: ExportResultCode.FAILED, error: new Error("the batch could not be encoded") });
        return;
      }
      sender.push(bytes);
      done({ code: ExportResultCode.SUCCESS });
    },
    forceFlush: async () => void (await sender.flush(flushTimeoutMs)),
    shutdown: () => sender.shutdown(flushTimeoutMs),
  };
}
