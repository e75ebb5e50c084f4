import type { BodyRule } from "./route.ts";

const MiB = 1_048_576;

/**
 * Both caps equal `max_request_body_size` of otel-collector/config.yaml, so that it is the gateway that refuses, with
 * 413: the collector would answer 400.
 */
export const otlpBody: BodyRule = {
  encodedBytes: 16 * MiB,
  decodedBytes: 16 * MiB,
  arriveMs: 7_000,
  encodings: ["identity", "gzip", "zstd"],
  mediaTypes: ["application/x-protobuf", "application/json"],
};

/** A quarter of the above: as OTLP JSON a push of very short lines grows to four times its size. */
export const lokiBody: BodyRule = {
  encodedBytes: 4 * MiB,
  decodedBytes: 4 * MiB,
  arriveMs: 7_000,
  encodings: ["identity", "gzip", "snappy"],
  mediaTypes: ["application/json", "application/x-protobuf"],
};

export const apiBody: BodyRule = { encodedBytes: MiB, decodedBytes: MiB, arriveMs: 10_000, encodings: ["identity"] };

/** What auth's own listener takes: it is the gateway that refuses more, and says so. */
export const authBody: BodyRule = { ...apiBody, encodedBytes: 65_536, decodedBytes: 65_536 };

/** Logs that people bring along to have them analysed. */
export const uploadBody: BodyRule = {
  encodedBytes: 32 * MiB,
  decodedBytes: 32 * MiB,
  arriveMs: 50_000,
  encodings: ["identity"],
};

export const queryBody: BodyRule = {
  encodedBytes: 256 * 1_024,
  decodedBytes: 256 * 1_024,
  arriveMs: 5_000,
  encodings: ["identity"],
  mediaTypes: ["application/x-www-form-urlencoded"],
};

export const silenceBody: BodyRule = { ...queryBody, mediaTypes: ["application/json"] };
