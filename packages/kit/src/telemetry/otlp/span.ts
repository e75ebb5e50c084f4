import type { Link, SpanContext } from "@opentelemetry/api";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace";
import { writeAttributes, writeTime } from "./common.ts";
import type { ProtobufWriter } from "./writer.ts";

/** `SpanFlags` of the protocol: whether it is known that the parent is remote, and whether it is. */
const hasIsRemote = 0x100;
const isRemote = 0x200;

/**
 * Writes one `Span` (opentelemetry/proto/trace/v1/trace.proto), with its length. Fields and their order are those of
 * the official serialiser, so that the bytes are too.
 */
export function writeSpan(writer: ProtobufWriter, span: ReadableSpan): void {
  const message = writer.open();
  const own = span.spanContext();
  const parent = span.parentSpanContext;
  writeContext(writer, own);
  if (parent !== undefined && parent.spanId !== "") {
    writer.key(4, 2);
    writer.hex(parent.spanId);
  }
  writer.key(5, 2);
  writer.text(span.name);
  writer.key(6, 0);
  writer.varint(span.kind + 1);
  writer.key(7, 1);
  writeTime(writer, span.startTime);
  writer.key(8, 1);
  writeTime(writer, span.endTime);
  writeAttributes(writer, span.attributes, 9);
  writeCount(writer, 10, span.droppedAttributesCount);
  for (const event of span.events) {
    writer.key(11, 2);
    writeEvent(writer, event);
  }
  writeCount(writer, 12, span.droppedEventsCount);
  for (const link of span.links) {
    writer.key(13, 2);
    writeLink(writer, link);
  }
  writeCount(writer, 14, span.droppedLinksCount);
  writer.key(15, 2);
  writeStatus(writer, span.status);
  writer.key(16, 5);
  writer.fixed32(flagsOf(own.traceFlags, parent));
  writer.close(message);
}

function writeContext(writer: ProtobufWriter, context: SpanContext): void {
  writer.key(1, 2);
  writer.hex(context.traceId);
  writer.key(2, 2);
  writer.hex(context.spanId);
  const state = context.traceState?.serialize();
  if (state === undefined || state === "") return;
  writer.key(3, 2);
  writer.text(state);
}

function writeEvent(writer: ProtobufWriter, event: TimedEvent): void {
  const message = writer.open();
  writer.key(1, 1);
  writeTime(writer, event.time);
  writer.key(2, 2);
  writer.text(event.name);
  if (event.attributes !== undefined) writeAttributes(writer, event.attributes, 3);
  writeCount(writer, 4, event.droppedAttributesCount ?? 0);
  writer.close(message);
}

function writeLink(writer: ProtobufWriter, link: Link): void {
  const message = writer.open();
  writeContext(writer, link.context);
  if (link.attributes !== undefined) writeAttributes(writer, link.attributes, 4);
  writeCount(writer, 5, link.droppedAttributesCount ?? 0);
  writer.key(6, 5);
  writer.fixed32(flagsOf(link.context.traceFlags, link.context));
  writer.close(message);
}

function writeStatus(writer: ProtobufWriter, status: ReadableSpan["status"]): void {
  const message = writer.open();
  if (status.message !== undefined && status.message !== "") {
    writer.key(2, 2);
    writer.text(status.message);
  }
  writeCount(writer, 3, status.code);
  writer.close(message);
}

function writeCount(writer: ProtobufWriter, field: number, count: number): void {
  writer.key(field, 0);
  writer.varint(count);
}

function flagsOf(traceFlags: number, context: SpanContext | undefined): number {
  return (traceFlags & 0xff) | hasIsRemote | (context?.isRemote === true ? isRemote : 0);
}
