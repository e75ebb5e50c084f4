const text = new TextEncoder();

/** A body of OTLP log records, as an exporter would send them. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly records: number;
}

const recordBytes = 256;

/** An `ExportLogsServiceRequest` of exactly this many bytes, of records of about a quarter KiB. */
export function logsPayload(size: number): Payload {
  for (let lineBytes = Math.min(recordBytes, size); ; lineBytes -= 1) {
    const line = "x".repeat(Math.max(0, lineBytes));
    const records = Math.max(1, Math.floor(size / (lineBytes + 18)));
    const missing = size - request(records, line, "").byteLength;
    // The padding is a second label of the resource; its own head takes a few bytes of what is missing.
    for (let padding = missing; padding >= 0 && padding > missing - 40; padding -= 1) {
      const bytes = request(records, line, "p".repeat(padding));
      if (bytes.byteLength === size) return { bytes, records };
    }
    if (lineBytes <= 0) throw new RangeError(`no OTLP logs of ${size} bytes`);
  }
}

/** Fields in the order of opentelemetry/proto/logs/v1, so that whoever decodes and encodes them makes the same bytes. */
function request(records: number, line: string, padding: string): Uint8Array {
  const resource = field(
    1,
    attribute("service.name", "bench"),
    ...(padding === "" ? [] : [attribute("padding", padding)]),
  );
  const record = field(
    2,
    fixed64(1, 1_700_000_000_000_000_000n),
    varintField(2, 9),
    field(5, field(1, text.encode(line))),
  );
  return field(1, resource, field(2, ...Array.from({ length: records }, () => record)));
}

function attribute(key: string, value: string): Uint8Array {
  return field(1, field(1, text.encode(key)), field(2, field(1, text.encode(value))));
}

function field(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(content.byteLength), content]);
}

function fixed64(number: number, value: bigint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, value, true);
  return Buffer.concat([varint(number * 8 + 1), new Uint8Array(bytes.buffer)]);
}

function varintField(number: number, value: number): Uint8Array {
  return Buffer.concat([varint(number * 8), varint(value)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
