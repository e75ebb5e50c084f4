import { ServiceError } from "@vitrine/kit/errors";
import { parseLabels } from "./labels.ts";
import { PartCounter } from "./otlp.ts";

/** A push in the shape of Loki's JSON. */
export interface Push {
  readonly streams: readonly {
    readonly stream: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [string, string, Readonly<Record<string, string>>])[];
  }[];
}

/**
 * Reads a `logproto.PushRequest`, the protobuf that promtail, Alloy and loki-canary send; fields it does not know are
 * passed over.
 *
 * @throws ServiceError `invalid_request` for what is no such message, `payload_too_large` for one of too many parts
 */
export function decodePush(bytes: Uint8Array): Push {
  const parts = new PartCounter();
  const streams: Push["streams"][number][] = [];
  for (const stream of messages(bytes, 1)) {
    parts.add(1);
    let labels = "";
    const values: (readonly [string, string, Readonly<Record<string, string>>])[] = [];
    for (const field of fields(stream)) {
      if (field.number === 1) labels = text(field);
      if (field.number !== 2) continue;
      parts.add(1);
      values.push(toEntry(content(field), parts));
    }
    streams.push({ stream: parseLabels(labels), values });
  }
  return { streams };
}

function toEntry(bytes: Uint8Array, parts: PartCounter): readonly [string, string, Readonly<Record<string, string>>] {
  let time: string | undefined;
  let line = "";
  const metadata: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const field of fields(bytes)) {
    if (field.number === 1) time = toNanoseconds(content(field));
    if (field.number === 2) line = text(field);
    if (field.number !== 3) continue;
    parts.add(1);
    addPair(metadata, content(field));
  }
  if (time === undefined) throw invalid("an entry has no time");
  return [time, line, metadata];
}

/** `google.protobuf.Timestamp`. */
function toNanoseconds(bytes: Uint8Array): string {
  let seconds = 0n;
  let nanos = 0n;
  for (const { number, value } of fields(bytes)) {
    if (typeof value !== "bigint") continue;
    if (number === 1) seconds = BigInt.asIntN(64, value);
    if (number === 2) nanos = BigInt.asIntN(64, value);
  }
  const time = seconds * 1_000_000_000n + nanos;
  if (time < 0n || nanos < 0n || nanos > 999_999_999n) throw invalid("an entry has a time that is none");
  return time.toString();
}

function addPair(pairs: Record<string, string>, bytes: Uint8Array): void {
  let name = "";
  let value = "";
  for (const field of fields(bytes)) {
    if (field.number === 1) name = text(field);
    if (field.number === 2) value = text(field);
  }
  pairs[name] = value;
}

interface Field {
  readonly number: number;
  /** A number, the bytes of a field that has a length, or nothing for a number of fixed size, which no push has. */
  readonly value: bigint | Uint8Array | undefined;
}

function* messages(bytes: Uint8Array, number: number): Generator<Uint8Array> {
  for (const field of fields(bytes)) if (field.number === number) yield content(field);
}

function content({ value }: Field): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw invalid("a field has another type");
}

const utf8 = new TextDecoder();

function text(field: Field): string {
  return utf8.decode(content(field));
}

/** The fields of a message, in their order (protobuf wire format). */
function* fields(bytes: Uint8Array): Generator<Field> {
  const wire = { bytes, at: 0 };
  while (wire.at < bytes.byteLength) {
    const tag = Number(varint(wire));
    const number = Math.floor(tag / 8);
    if (number < 1) throw invalid("a field has no number");
    switch (tag % 8) {
      case 0:
        yield { number, value: varint(wire) };
        break;
      case 1:
        skip(wire, 8);
        yield { number, value: undefined };
        break;
      case 2:
        yield { number, value: skip(wire, Number(varint(wire))) };
        break;
      case 5:
        skip(wire, 4);
        yield { number, value: undefined };
        break;
      default:
        throw invalid("a field has an unknown type");
    }
  }
}

interface Wire {
  readonly bytes: Uint8Array;
  at: number;
}

function varint(wire: Wire): bigint {
  let small = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = next(wire);
    small += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return BigInt(small);
  }
  let value = BigInt(small);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = next(wire);
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw invalid("a number is too long");
}

function next(wire: Wire): number {
  const byte = wire.bytes[wire.at];
  if (byte === undefined) throw invalid("it is cut short");
  wire.at += 1;
  return byte;
}

function skip(wire: Wire, length: number): Uint8Array {
  const from = wire.at;
  wire.at += length;
  if (wire.at > wire.bytes.byteLength) throw invalid("it is cut short");
  return wire.bytes.subarray(from, wire.at);
}

function invalid(what: string): ServiceError {
  return new ServiceError("invalid_request", `the body is no push in protobuf: ${what}`, { reason: "bad_encoding" });
}
