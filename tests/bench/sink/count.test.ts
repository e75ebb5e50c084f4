import { describe, expect, test } from "bun:test";
import { countInto, noCounts } from "./count.ts";
import { wireFields } from "./wire.ts";

const utf8 = new TextEncoder();

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function message(number: number, content: Uint8Array | string | readonly Uint8Array[]): Uint8Array {
  const bytes = typeof content === "string" ? utf8.encode(content) : content;
  const joined = bytes instanceof Uint8Array ? bytes : Buffer.concat(bytes);
  return Uint8Array.from([...varint(number * 8 + 2), ...varint(joined.length), ...joined]);
}

const number = (field: number, value: number) => Uint8Array.from([field * 8, ...varint(value)]);

function fixed64(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = field * 8 + 1;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(value), true);
  return bytes;
}

/** One resource and one scope around the items, as OTLP nests all three signals. */
const request = (...items: readonly (readonly Uint8Array[])[]) =>
  message(1, [
    message(1, [message(1, "service.name")]),
    message(2, [message(1, [message(1, "scope")]), ...items.map((item) => message(2, item))]),
  ]);

const span = (name: string, kind: number) => [message(1, "id"), message(5, name), number(6, kind)];
const log = (body: string) => [fixed64(1, 1), message(5, [message(1, body)])];
const histogram = (name: string, ...counts: readonly number[]) => [
  message(1, name),
  message(3, "s"),
  message(
    9,
    counts.map((count) => message(1, [fixed64(4, count), number(99, 3)])),
  ),
];

describe("countInto", () => {
  test("tells server spans, statements and everything else apart", () => {
    const counts = noCounts();
    const body = request(span("GET /x", 2), span("pg.query:SELECT db", 3), span("pg-pool.connect", 3), span("x", 1));
    countInto(counts, "traces", body);
    expect(counts).toEqual({ ...noCounts(), serverSpans: 1, sqlSpans: 1 });
  });

  test("counts access lines and no other log record, over batches", () => {
    const counts = noCounts();
    countInto(counts, "logs", request(log("GET /x 200"), log("listening on http://127.0.0.1:1"), log("POST /y 201")));
    countInto(counts, "logs", request(log("GET /x 200")));
    expect(counts).toEqual({ ...noCounts(), accessLogs: 3 });
  });

  test("takes the newest total of a cumulative histogram, summed over its attribute sets", () => {
    const counts = noCounts();
    const other = histogram("db.client.operation.duration", 900);
    countInto(counts, "metrics", request(histogram("http.server.request.duration", 3, 4), other));
    countInto(counts, "metrics", request(other));
    countInto(counts, "metrics", request(histogram("http.server.request.duration", 300_000, 5)));
    expect(counts).toEqual({ ...noCounts(), requestDurations: 300_005 });
  });
});

describe("wireFields", () => {
  test("reads long lengths and skips what it does not know", () => {
    const long = "x".repeat(70_000);
    const fields = [
      ...wireFields(Buffer.concat([message(3, long), Uint8Array.from([37, 1, 0, 0, 0]), number(9, 300)])),
    ];
    expect(fields.map((field) => field.number)).toEqual([3, 4, 9]);
    expect(fields[0]?.bytes).toHaveLength(70_000);
    expect(fields[2]?.value).toBe(300);
  });

  test("refuses a message that is cut short", () => {
    expect(() => [...wireFields(message(1, "hello").subarray(0, 4))]).toThrow(RangeError);
  });
});
