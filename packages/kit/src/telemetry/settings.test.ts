import { describe, expect, test } from "bun:test";
import { ConfigError, type Env } from "../config.ts";
import { readExportSettings } from "./settings.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://gateway.test:4318" };
const client = { CLIENT_ID: "orders", CLIENT_SECRET: "a-long-secret" };

function faultsOf(env: Env): readonly string[] {
  try {
    readExportSettings(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

const urls = (env: Env) => readExportSettings(env).signals.map(({ signal, url }) => [signal, url]);

describe("endpoints", () => {
  test("without an endpoint nothing is exported and no client is needed", () => {
    expect(readExportSettings({ CLIENT_ID: "orders" })).toMatchObject({ signals: [], client: undefined });
  });

  test.each(["http://gateway.test:4318", "http://gateway.test:4318/"])(
    "%s is completed by the signal's path",
    (base) => {
      expect(urls({ OTEL_EXPORTER_OTLP_ENDPOINT: base })).toEqual([
        ["traces", "http://gateway.test:4318/v1/traces"],
        ["metrics", "http://gateway.test:4318/v1/metrics"],
        ["logs", "http://gateway.test:4318/v1/logs"],
      ]);
    },
  );

  test("a signal's own endpoint is taken as it is, and alone exports that signal only", () => {
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://traces.test/custom" };
    expect(urls(own)).toEqual([["traces", "http://traces.test/custom"]]);
    expect(urls({ ...endpoint, ...own })[0]).toEqual(["traces", "http://traces.test/custom"]);
  });
});

describe("headers", () => {
  test("values are percent-decoded, names lower-cased, and a signal's own header wins", () => {
    const { signals } = readExportSettings({
      ...endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: "X-One=a%20b , x-two=c=d,,x-three=",
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-one=own",
    });
    expect(signals[0]?.headers).toEqual({ "x-one": "a b", "x-two": "c=d", "x-three": "" });
    expect(signals[2]?.headers).toEqual({ "x-one": "own", "x-two": "c=d", "x-three": "" });
  });

  test.each(["x-token=%zz-hidden", "hidden", "=hidden", "bad name=hidden", "x=hidden%0ay"])(
    "%p is a fault by name that does not show the value",
    (value) => {
      const faults = faultsOf({ ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: value, OTEL_EXPORTER_OTLP_TIMEOUT: "soon" });
      expect(faults.map((fault) => fault.split(":")[0])).toEqual([
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
      ]);
      expect(faults.join()).not.toContain("hidden");
    },
  );
});

describe("the client", () => {
  test("its token goes with every signal", () => {
    const settings = readExportSettings({ ...endpoint, ...client, AUTH_URL: "http://auth.test:8081" });
    expect(settings.client).toEqual({
      tokenUrl: "http://auth.test:8081/oauth/token",
      clientId: "orders",
      clientSecret: "a-long-secret",
      scopes: ["telemetry:write"],
    });
    expect(settings.signals.map(({ authenticated }) => authenticated)).toEqual([true, true, true]);
  });

  test.each(["authorization=Bearer%20static", "X-Client-Id=gateway"])("%s wins over it", (headers) => {
    const settings = readExportSettings({ ...endpoint, CLIENT_ID: "gateway", OTEL_EXPORTER_OTLP_HEADERS: headers });
    expect(settings.client).toBeUndefined();
    expect(settings.signals.some(({ authenticated }) => authenticated)).toBe(false);
  });

  test("a static token of one signal wins for that signal alone", () => {
    const settings = readExportSettings({ ...endpoint, ...client, OTEL_EXPORTER_OTLP_LOGS_HEADERS: "authorization=x" });
    expect(settings.client).toBeDefined();
    expect(settings.signals.map(({ authenticated }) => authenticated)).toEqual([true, true, false]);
  });

  test("an id without its secret is a fault", () => {
    expect(faultsOf({ ...endpoint, CLIENT_ID: "orders" })).toEqual([
      "CLIENT_SECRET: is not set, and CLIENT_ID needs it",
    ]);
  });

  test("sizes of batches are those of the standard variables", () => {
    const batches = {
      OTEL_BSP_SCHEDULE_DELAY: "250",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "64",
      OTEL_BSP_MAX_QUEUE_SIZE: "128",
      OTEL_BLRP_SCHEDULE_DELAY: "350",
      OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: "32",
      OTEL_BLRP_MAX_QUEUE_SIZE: "256",
    };
    const { spans, logRecords } = readExportSettings(batches);
    expect(spans).toEqual({ delayMs: 250, maxItems: 64, maxWaiting: 128 });
    expect(logRecords).toEqual({ delayMs: 350, maxItems: 32, maxWaiting: 256 });
    expect(() => readExportSettings({ OTEL_BSP_MAX_QUEUE_SIZE: "many" })).toThrow(ConfigError);
  });
});
