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

test("every fault is named at once", () => {
  expect(() => parseConfig({ OTLP_PORT: "x", LOKI_URL: "ftp://loki" })).toThrow(ConfigError);
  expect(() => parseConfig({ OTLP_PORT: "x", LOKI_URL: "ftp://loki" })).toThrow(
    /OTLP_PORT[^]*LOKI_URL|LOKI_URL[^]*OTLP_PORT/,
  );
});
