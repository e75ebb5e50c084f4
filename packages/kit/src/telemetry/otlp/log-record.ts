import { SeverityNumber } from "@opentelemetry/api";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { writeAnyValue, writeAttributes, writeTime } from "./common.ts";
import type { ProtobufWriter } from "./writer.ts";

/**
 * Writes one `LogRecord` (opentelemetry/proto/logs/v1/logs.proto), with its length. Fields and their order are those
 * of the official serialiser, so that the bytes are too.
 */
export function writeLogRecord(writer: ProtobufWriter, record: ReadableLogRecord): void {
  const message = writer.open();
  writer.key(1, 1);
  writeTime(writer, record.hrTime);
  if (record.severityNumber !== undefined && record.severityNumber !== SeverityNumber.UNSPECIFIED) {
    writer.key(2, 0);
    writer.varint(record.severityNumber);
  }
  writeText(writer, 3, record.severityText);
  if (record.body !== undefined) {
    writer.key(5, 2);
    const body = writer.open();
    writeAnyValue(writer, record.body);
    writer.close(body);
  }
  writeAttributes(writer, record.attributes, 6);
  writer.key(7, 0);
  writer.varint(record.droppedAttributesCount);
  if (record.spanContext !== undefined) {
    if (record.spanContext.traceFlags !== 0) {
      writer.key(8, 5);
      writer.fixed32(record.spanContext.traceFlags);
    }
    writer.key(9, 2);
    writer.hex(record.spanContext.traceId);
    writer.key(10, 2);
    writer.hex(record.spanContext.spanId);
  }
  writer.key(11, 1);
  writeTime(writer, record.hrTimeObserved);
  writeText(writer, 12, record.eventName);
  writer.close(message);
}

function writeText(writer: ProtobufWriter, field: number, text: string | undefined): void {
  if (text === undefined || text === "") return;
  writer.key(field, 2);
  writer.text(text);
}
