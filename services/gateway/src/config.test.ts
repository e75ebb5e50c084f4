import { expect, test } from "bun:test";
import { ConfigError } from "@vitrine/kit/config";
import { parseConfig } from "./config.ts";

test("the defaults are the ports of a desk", () => {
  const config = parseConfig({});
  expect(config).toMatchObject({
    http: { host: "127.0.0.1", port: 8080 },
    otlpPort: 4318,
    upstreams: { collector: "http://127.0.0.1:14318", loki: "http://127.0.0.1:3100" },
  });
});

test("an upstream may have a path, and a trailing slash is not part of it", () => {
  expect(parseConfig({ PROMETHEUS_URL: "http://mimir/prometheus/" }).upstreams.prometheus).toBe(
    "http://mimir/prometheus",
  );
});

test("quotas are variables with their units, and 0 is without limit", () => {
  const { limits, trustedProxies } = parseConfig({
    QUOTA_INGEST_REQUESTS_PER_SECOND: "0",
    QUOTA_QUERY_IN_FLIGHT: "5",
    MAX_CONCURRENT_REQUESTS: "77",
    TRUSTED_PROXIES: "10.0.0.0/8, ::1",
  });
  expect(limits).toMatchObject({
    classes: { ingest: { requestsPerSecond: 0, burstSeconds: 2 }, query: { inFlight: 5 } },
    maxConcurrent: 77,
  });
  expect(trustedProxies).toEqual(["10.0.0.0/8", "::1"]);
  expect(() => parseConfig({ TRUSTED_PROXIES: "10.0.0.0/99 proxy" })).toThrow(
    /TRUSTED_PROXIES.*10\.0\.0\.0\/99.*proxy/,
  );
});

test("each of several processes has its share of every quota", () => {
  const quotas = { QUOTA_QUERY_REQUESTS_PER_SECOND: "2", QUOTA_QUERY_IN_FLIGHT: "5", MAX_CONCURRENT_REQUESTS: "77" };
  const { limits } = parseConfig({ ...quotas, QUOTA_INGEST_BYTES_PER_SECOND: "0", GATEWAY_PROCESSES: "4" });
  expect(limits).toMatchObject({
    classes: { query: { requestsPerSecond: 0.5, inFlight: 2 }, ingest: { bytesPerSecond: 0, inFlight: 16 } },
    maxConcurrent: 20,
    failuresPerSecond: 125,
  });
});

test("every fault is named at once", () => {
  expect(() => parseConfig({ OTLP_PORT: "x", LOKI_URL: "ftp://loki" })).toThrow(ConfigError);
  const wrong = { OTLP_PORT: "x", LOKI_URL: "ftp://loki", TRUSTED_PROXIES: "x", MAX_CONCURRENT_REQUESTS: "0" };
  expect(() => parseConfig(wrong)).toThrow(
    expect.objectContaining({
      faults: expect.arrayContaining(Object.keys(wrong).map((name) => expect.stringContaining(`${name}: `))),
    }),
  );
});

test("the feed is followed by who has a client, and half a client is a fault", () => {
  expect(parseConfig({}).feed).toBeUndefined();
  expect(parseConfig({ AUTH_URL: "http://auth:1", CLIENT_ID: "gateway", CLIENT_SECRET: "12345678" }).feed).toEqual({
    url: "http://auth:1/api/auth/feed",
    clientId: "gateway",
    clientSecret: "12345678",
  });
  expect(() => parseConfig({ CLIENT_ID: "gateway" })).toThrow(/CLIENT_SECRET/);
});
