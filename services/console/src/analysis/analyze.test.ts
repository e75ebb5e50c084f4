import { describe, expect, test } from "bun:test";
import { analysisReport } from "@vitrine/contracts/log-analysis";
import { analyse } from "./analyze.ts";
import { parseText } from "./parse.ts";

const start = Date.parse("2026-11-21T07:00:00Z");
const at = (seconds: number) => new Date(start + seconds * 1_000).toISOString();

const line = (seconds: number, level: string, message: string, extra: Record<string, unknown> = {}) =>
  JSON.stringify({ timestamp: at(seconds), level, service: "orders", message, ...extra });

async function report(lines: readonly string[]) {
  return analysisReport.parse(await analyse({ lines: await parseText(lines.join("\n")), complete: true }));
}

describe("patterns", () => {
  test("take values out and keep what lines have in common", async () => {
    const { patterns, levels, lines } = await report([
      ...Array.from({ length: 50 }, (_, n) => line(n, "info", `order ${Bun.randomUUIDv7()} placed in ${n} ms`)),
      line(60, "error", "connection to 10.0.0.7:5432 refused"),
      line(61, "error", "connection to 10.0.0.9:5432 refused"),
    ]);
    expect(lines).toBe(52);
    expect(levels).toEqual({ info: 50, error: 2 });
    expect(patterns.map(({ template, count, level }) => [template, count, level])).toEqual([
      ["order <*> placed in <*> ms", 50, "info"],
      ["connection to <*> refused", 2, "error"],
    ]);
  });

  test("of unlike words in one place become one, and those of another length stay apart", async () => {
    const { patterns } = await report(
      ["anna", "bela", "caro"].map((name, n) => line(n, "info", `the user ${name} signed in well`)),
    );
    expect(patterns.map(({ template }) => template)).toEqual(["the user <*> signed in well"]);
  });

  test("are new when they begin in the last quarter, or were not there in the span before", async () => {
    const calm = Array.from({ length: 40 }, (_, n) => line(n * 10, "info", `tick ${n}`));
    const odd = line(395, "error", "disk is full");
    expect((await report([...calm, odd])).newPatterns.map(({ template }) => template)).toEqual(["disk is full"]);
    const before = await parseText(line(0, "error", "disk is full"));
    const known = await analyse({ lines: await parseText([...calm, odd].join("\n")), complete: true, before });
    expect(known.newPatterns.map(({ template }) => template)).toEqual(["tick <*>"]);
  });
});

test("a burst is where errors come many times as thick as usual", async () => {
  const { bursts } = await report([
    ...Array.from({ length: 60 }, (_, n) => line(n * 10, "info", "fine")),
    ...Array.from({ length: 30 }, (_, n) => line(300 + n / 10, "error", "it broke")),
  ]);
  expect(bursts).toHaveLength(1);
  expect(bursts[0]?.errors).toBe(30);
  expect(Date.parse(bursts[0]?.from ?? "")).toBeLessThanOrEqual(start + 300_000);
  expect(Date.parse(bursts[0]?.to ?? "")).toBeGreaterThanOrEqual(start + 302_900);
});

test("addresses are suspicious that are refused again and again, probe, or flood", async () => {
  const web = (address: string, path: string, status: number) =>
    `${address} - - [21/Nov/2026:07:00:00 +0000] "GET ${path} HTTP/1.1" ${status} 12 "-" "curl"`;
  const { addresses } = await report([
    ...Array.from({ length: 20 }, () => web("203.0.113.9", "/login", 401)),
    ...Array.from({ length: 15 }, (_, n) => web("198.51.100.7", `/wp-${n}.php`, 404)),
    ...Array.from({ length: 200 }, () => web("192.0.2.1", "/", 200)),
    ...["192.0.2.2", "192.0.2.3", "192.0.2.4"].map((address) => web(address, "/", 200)),
  ]);
  expect(addresses.map(({ address, reasons }) => `${address} ${reasons.join()}`)).toEqual([
    "203.0.113.9 many_refusals",
    "198.51.100.7 probing",
    "192.0.2.1 flood",
  ]);
});

test("the slowest actions lead to the request that took longest", async () => {
  const { slowest } = await report([
    ...Array.from({ length: 20 }, (_, n) =>
      line(n, "info", "GET", {
        duration_ms: n,
        extra: { method: "GET", route: "/api/catalog", status: 200 },
        request_id: `r-${n}`,
      }),
    ),
    line(30, "warn", "slow", { duration_ms: 900, action: "db.slow_query", request_id: "r-slow" }),
  ]);
  expect(slowest).toEqual([
    { action: "db.slow_query", count: 1, medianMs: 900, p95Ms: 900, maxMs: 900, requestId: "r-slow" },
    { action: "GET /api/catalog", count: 20, medianMs: 9, p95Ms: 18, maxMs: 19, requestId: "r-19" },
  ]);
});

describe("lines of any kind", () => {
  test.each([
    [
      '{"level":50,"time":1795244400000,"msg":"pino","reqId":"r-1"}',
      { level: "error", timeMs: start, message: "pino", requestId: "r-1" },
    ],
    [
      '10.1.2.3 - - [21/Nov/2026:07:00:00 +0000] "GET /a?b=c HTTP/1.1" 503 12 "-" "curl"',
      { level: "error", timeMs: start, action: "GET /a", status: 503, address: "10.1.2.3" },
    ],
    ['"GET /" 404 12', { level: "warn", action: "GET /", status: 404 }],
    ["2026-11-21 07:00:00,000 WARN something is odd after 12.5 ms", { level: "warn", timeMs: start, durationMs: 12.5 }],
    ['{"cut off', { level: "unknown", timeMs: undefined, message: '{"cut off' }],
    ["[1,2]", { level: "unknown", message: "[1,2]" }],
    ["null", { level: "unknown", message: "null" }],
    [
      '{"ts":1795244400.5,"severity":"CRITICAL","body":"x","ip":"10.1.2.3"}',
      { level: "fatal", timeMs: start + 500, address: "10.1.2.3" },
    ],
  ])("%s", async (text, expected) => {
    expect((await parseText(text))[0]).toMatchObject(expected);
  });

  test("that are huge, empty, or no text at all are read without harm", async () => {
    const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, n) => n));
    const { lines } = await report([
      "word ".repeat(300_000),
      "",
      "  ",
      bytes.replaceAll(/[\r\n]/g, ""),
      '{"level":{"deep":[1]},"time":1e400}',
      `"GET /${"a".repeat(200_000)}`,
    ]);
    expect(lines).toBe(4);
  });
});

test("two hundred thousand lines take seconds, not minutes", async () => {
  const text = Array.from({ length: 200_000 }, (_, n) =>
    line(n / 10, n % 97 === 0 ? "error" : "info", `piece ${n} of shelf ${n % 50} moved`),
  ).join("\n");
  const startedAt = performance.now();
  const { lines, patterns } = await analyse({ lines: await parseText(text), complete: true });
  expect([lines, patterns.length]).toEqual([200_000, 1]);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});
