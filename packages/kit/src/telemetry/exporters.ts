import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import {
  type ISerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import type { LogRecordExporter, ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { PushMetricExporter, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { OtlpSender } from "./otlp-sender.ts";

/** The SDK waits for it twice when it stops, to flush and to close; a stopping service has ten seconds in all. */
const flushTimeoutMs = 2_000;

/**
 * An SDK exporter that encodes with the official serialiser and hands the bytes to an {@link OtlpSender}. It reports
 * success once the sender holds them: from there on the sender answers for every byte.
 */
class SenderExporter<T> {
  readonly #serializer: ISerializer<T, unknown>;
  readonly #sender: OtlpSender;

  constructor(serializer: ISerializer<T, unknown>, sender: OtlpSender) {
    this.#serializer = serializer;
    this.#sender = sender;
  }

  export(items: T, done: (result: ExportResult) => void): void {
    const bytes = this.#serializer.serializeRequest(items);
    if (bytes === undefined) {
      done({
        code: ExportResultCode.FAILED,
        error: new Error("the batch could not be encoded"),
      });
      return;
    }
    this.#sender.push(bytes);
    done({ code: ExportResultCode.SUCCESS });
  }

  async forceFlush(): Promise<void> {
    await this.#sender.flush(flushTimeoutMs);
  }

  async shutdown(): Promise<void> {
    await this.#sender.shutdown(flushTimeoutMs);
  }
}

export function traceExporter(sender: OtlpSender): SpanExporter {
  return new SenderExporter<ReadableSpan[]>(ProtobufTraceSerializer, sender);
}

export function logExporter(sender: OtlpSender): LogRecordExporter {
  return new SenderExporter<ReadableLogRecord[]>(ProtobufLogsSerializer, sender);
}

export function metricExporter(sender: OtlpSender): PushMetricExporter {
  return new SenderExporter<ResourceMetrics>(ProtobufMetricsSerializer, sender);
}
