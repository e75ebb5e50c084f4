import type { HrTime } from "@opentelemetry/api";
import type { InstrumentationScope } from "@opentelemetry/core";
import type { Resource } from "@opentelemetry/resources";
import { ProtobufWriter } from "./writer.ts";

const two32 = 4_294_967_296;

/** Seconds and nanoseconds as nanoseconds since the epoch, which a JavaScript number cannot hold exactly. */
export function writeTime(writer: ProtobufWriter, [seconds, nanos]: HrTime): void {
  const lower = (seconds & 0xffff) * 1e9;
  const upper = ((seconds / 65_536) >>> 0) * 1e9;
  const low = (lower >>> 0) + (((upper & 0xffff) * 65_536) >>> 0) + nanos;
  writer.fixed64(low, Math.floor(lower / two32) + ((upper / 65_536) >>> 0) + Math.floor(low / two32));
}

/** Field 1 of a `KeyValue`, encoded once per key. Bounded: keys made of values must not fill the memory. */
const keys = new Map<string, Uint8Array>();
const maxKeys = 1_024;
const keyWriter = new ProtobufWriter();

function writeKey(writer: ProtobufWriter, key: string): void {
  let bytes = keys.get(key);
  if (bytes === undefined) {
    keyWriter.clear();
    keyWriter.key(1, 2);
    keyWriter.text(key);
    bytes = keyWriter.written().slice();
    if (keys.size < maxKeys) keys.set(key, bytes);
  }
  writer.raw(bytes);
}

export function writeAttributes(writer: ProtobufWriter, attributes: object, field: number): void {
  for (const key in attributes) {
    if (!Object.hasOwn(attributes, key)) continue;
    writer.key(field, 2);
    writeKeyValue(writer, key, (attributes as Readonly<Record<string, unknown>>)[key]);
  }
}

function writeKeyValue(writer: ProtobufWriter, key: string, value: unknown): void {
  const pair = writer.open();
  writeKey(writer, key);
  writer.key(2, 2);
  const inner = writer.open();
  writeAnyValue(writer, value);
  writer.close(inner);
  writer.close(pair);
}

const maxInt64 = 2 ** 63;

/** The content of an `AnyValue`; nothing at all for `null`, which is how the protocol says "empty". */
export function writeAnyValue(writer: ProtobufWriter, value: unknown): void {
  switch (typeof value) {
    case "string":
      writer.key(1, 2);
      writer.text(value);
      return;
    case "boolean":
      writer.key(2, 0);
      writer.varint(value ? 1 : 0);
      return;
    case "number":
      if (Number.isInteger(value) && value >= -maxInt64 && value < maxInt64) {
        writer.key(3, 0);
        writer.varint(value);
      } else {
        writer.key(4, 1);
        writer.double(value);
      }
      return;
    case "object":
      if (value !== null) writeObject(writer, value);
      return;
    case "undefined":
    case "bigint":
    case "symbol":
    case "function":
      return;
  }
}

function writeObject(writer: ProtobufWriter, value: object): void {
  if (value instanceof Uint8Array) {
    writer.key(7, 2);
    writer.bytes(value);
    return;
  }
  const list = Array.isArray(value);
  writer.key(list ? 5 : 6, 2);
  const outer = writer.open();
  if (list) {
    for (const entry of value as readonly unknown[]) {
      writer.key(1, 2);
      const inner = writer.open();
      writeAnyValue(writer, entry);
      writer.close(inner);
    }
  } else writeAttributes(writer, value, 1);
  writer.close(outer);
}

/** A `Resource` without its key and length. */
export function encodeResource(resource: Resource): Uint8Array {
  const writer = new ProtobufWriter();
  writeAttributes(writer, resource.attributes, 1);
  writer.key(2, 0);
  writer.varint(0);
  return writer.written().slice();
}

/** The SDK of logs keeps attributes of a scope, that of spans does not yet. */
export type Scope = InstrumentationScope & {
  readonly attributes?: object;
  readonly droppedAttributesCount?: number;
};

/** An `InstrumentationScope` without its key and length. */
export function encodeScope(scope: Scope): Uint8Array {
  const writer = new ProtobufWriter();
  writer.key(1, 2);
  writer.text(scope.name);
  if (scope.version !== undefined && scope.version !== "") {
    writer.key(2, 2);
    writer.text(scope.version);
  }
  if (scope.attributes !== undefined) writeAttributes(writer, scope.attributes, 3);
  if (scope.droppedAttributesCount !== undefined && scope.droppedAttributesCount !== 0) {
    writer.key(4, 0);
    writer.varint(scope.droppedAttributesCount);
  }
  return writer.written().slice();
}
