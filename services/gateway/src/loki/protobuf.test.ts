import { describe, expect, test } from "bun:test";
import protobuf from "protobufjs";
import { parseLabels } from "./labels.ts";
import { decodePush } from "./protobuf.ts";

/** The messages of Loki's push API, as pkg/push/push.proto has them. */
const pushType = protobuf
  .parse(
    `syntax = "proto3";
    message PushRequest { repeated Stream streams = 1; }
    message Stream { string labels = 1; repeated Entry entries = 2; uint64 hash = 3; }
    message Entry { Timestamp timestamp = 1; string line = 2; repeated Pair structuredMetadata = 3; repeated Pair parsed = 4; }
    message Timestamp { int64 seconds = 1; int32 nanos = 2; }
    message Pair { string name = 1; string value = 2; }`,
  )
  .root.lookupType("PushRequest");

const encode = (push: object) => pushType.encode(pushType.fromObject(push)).finish();

test("a push is what its JSON would be: labels, every nanosecond, lines, structured metadata", () => {
  const bytes = encode({
    streams: [
      {
        labels: '{app="till", shop="paris"}',
        hash: "18446744073709551615",
        entries: [
          {
            timestamp: { seconds: 1_700_000_000, nanos: 123_456_789 },
            line: "première ligne",
            structuredMetadata: [
              { name: "trace_id", value: "0af7651916cd43dd8448eb211c80319c" },
              { name: "__proto__", value: "x" },
            ],
            parsed: [{ name: "ignored", value: "x" }],
          },
          { timestamp: {}, line: "" },
        ],
      },
      { labels: "{}", entries: [] },
    ],
  });
  expect(JSON.parse(JSON.stringify(decodePush(bytes)))).toEqual({
    streams: [
      {
        stream: { app: "till", shop: "paris" },
        values: [
          [
            "1700000000123456789",
            "première ligne",
            JSON.parse('{ "trace_id": "0af7651916cd43dd8448eb211c80319c", "__proto__": "x" }'),
          ],
          ["0", "", {}],
        ],
      },
      { stream: {}, values: [] },
    ],
  });
});

describe("is refused as no push", () => {
  const entry = { timestamp: { seconds: 1 }, line: "x" };
  test.each([
    ["an entry without a time", encode({ streams: [{ labels: "{}", entries: [{ line: "x" }] }] })],
    ["a time before 1970", encode({ streams: [{ labels: "{}", entries: [{ timestamp: { seconds: -1 } }] }] })],
    [
      "nanoseconds of more than a second",
      encode({ streams: [{ labels: "{}", entries: [{ timestamp: { nanos: 1e9 } }] }] }),
    ],
    ["labels that are none", encode({ streams: [{ labels: "app=till", entries: [entry] }] })],
    ["a message cut short", encode({ streams: [{ labels: "{}", entries: [entry] }] }).slice(0, -1)],
    ["a field of another type", Uint8Array.of(0x08, 1)],
    ["a field without a number", Uint8Array.of(0x02, 0)],
    ["a group", Uint8Array.of(0x0b)],
    ["a length past the end", Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)],
    ["a number without end", Uint8Array.from({ length: 12 }, () => 0xff)],
  ])("%s", (_, bytes) => {
    expect(() => decodePush(bytes)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  test("more parts than a push is given the time for", () => {
    const one = [0x12, 2, 0x0a, 0];
    const entries = Uint8Array.from({ length: 4 * 200_000 }, (_, at) => one[at % 4] ?? 0);
    const stream = protobuf.Writer.create().uint32(0x0a).bytes(entries).finish();
    expect(() => decodePush(stream)).toThrow(expect.objectContaining({ code: "payload_too_large" }));
  });
});

describe("labels", () => {
  test.each([
    ["{}", {}],
    [' { a = "1" , b = `2\\n` , } ', { a: "1", b: "2\\n" }],
    ['{a="\\"quoted\\" \\\\ \\n \\t \\x41 \\u00e9 \\U0001F600 \\101"}', { a: '"quoted" \\ \n \t A é 😀 A' }],
    ['{_x9="a,b}c{d=e"}', { _x9: "a,b}c{d=e" }],
  ])("%p", (written, labels) => {
    expect(JSON.parse(JSON.stringify(parseLabels(written)))).toEqual(labels);
  });

  test.each([
    "",
    "{",
    "a",
    '{a="1"',
    '{a="1"}x',
    '{a="1" b="2"}',
    "{a=1}",
    '{9a="1"}',
    '{a="1\n"}',
    '{a="\\UFFFFFFFF"}',
    '{a!="1"}',
  ])("%p is refused", (written) => {
    expect(() => parseLabels(written)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });
});
