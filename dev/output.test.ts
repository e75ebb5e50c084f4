import { describe, expect, test } from "bun:test";
import { parseLogLine } from "./log-line.ts";
import { createOutput, type OutputOptions } from "./output.ts";

function build(options: Partial<OutputOptions> = {}) {
  let text = "";
  const output = createOutput({ write: (part) => (text += part), color: false, requests: true, ...options });
  return { output, text: () => text };
}

const served = JSON.stringify({
  level: "info",
  timestamp: "2026-01-01T00:00:00.123Z",
  service: "orders",
  request_id: "req-1",
  action: "http.request",
  duration_ms: 4.2,
  message: "GET /api/orders 200",
});

describe("output", () => {
  test("a service's line becomes time, level, action, message and request id", () => {
    const { output, text } = build();
    output.line("orders", "service", served, true);
    expect(text()).toMatch(
      /^orders {7}\| \d\d:\d\d:00\.123 info {2}http\.request GET \/api\/orders 200 4\.2 ms req-1\n$/,
    );
  });

  test("an error is told on the same line with its causes, without its frames", () => {
    const { output, text } = build();
    const err = {
      type: "Error",
      message: "a",
      stack: "ServiceError: a\n    at x (y.ts:1:1)\ncaused by: Error: b\n    at z",
    };
    output.line(
      "auth",
      "service",
      JSON.stringify({ level: "error", timestamp: "2026-01-01", message: "failed", err }),
      true,
    );
    expect(text()).toContain("error failed: ServiceError: a, caused by: Error: b\n");
    expect(text().split("\n")).toHaveLength(2);
  });

  test("what a service prints that is no JSON is shown as it is", () => {
    const { output, text } = build();
    output.line("auth", "service", "error: Cannot find module 'x'", false);
    expect(text()).toBe("auth         | error: Cannot find module 'x'\n");
  });

  test("under traffic, requests that went well are left to the log file", () => {
    const { output, text } = build({ requests: false });
    output.line("orders", "service", served, true);
    expect(text()).toBe("");
    output.line("orders", "service", served.replace('"info"', '"error"'), true);
    expect(text()).toContain("req-1");
  });

  test("of an engine only faults are shown, and only once it is ready", () => {
    const { output, text } = build();
    const fault = 'level=error msg="empty ring"';
    output.line("loki", "engine", 'level=info msg="starting"', true);
    output.line("loki", "engine", fault, false);
    expect(text()).toBe("");
    output.line("loki", "engine", fault, true);
    expect(text()).toBe(`loki         | ${fault}\n`);
  });

  test("the last lines that were withheld are shown when the process crashes, once", () => {
    const { output, text } = build();
    for (let line = 1; line <= 20; line += 1) output.line("loki", "engine", `level=info msg="${line}"`, false);
    output.showWithheld("loki");
    output.showWithheld("loki");
    expect([...text().matchAll(/msg="(\d+)"/g)].map((match) => match[1])).toEqual([
      "13",
      "14",
      "15",
      "16",
      "17",
      "18",
      "19",
      "20",
    ]);
  });

  test("there are no colours unless they are wanted", () => {
    const plain = build();
    const colored = build({ color: true });
    for (const { output } of [plain, colored]) {
      output.say("stopping", "warn");
      output.line("orders", "service", served, true);
    }
    expect(plain.text()).not.toContain("\u001B");
    expect(colored.text()).toContain("\u001B[33mstopping\u001B[0m");
  });

  test("each line of a message of several has its prefix", () => {
    const { output, text } = build();
    output.say("one\ntwo");
    expect(text()).toBe("vitrine      | one\nvitrine      | two\n");
  });
});

describe("the level of a line", () => {
  test.each([
    ['{"level":"warn","msg":"x"}', "warn"],
    ['ts=2026 caller=a level=error msg="x"', "error"],
    ["time=2026 level=WARN source=main.go", "warn"],
    ["2026-01-01T00:00:00Z\terror\texporter\tfailed", "error"],
    ["2026-01-01 00:00:00.000 UTC [12] LOG:  ready", "info"],
    ["2026-01-01 00:00:00.000 UTC [12] FATAL:  no", "fatal"],
    ["2026-01-01 00:00:00.000 UTC [12] PANIC:  no", "fatal"],
    ["panic: runtime error", undefined],
    ['{"broken', undefined],
  ])("%s", (text, level) => {
    expect(parseLogLine(text).level).toBe(level as never);
  });
});
