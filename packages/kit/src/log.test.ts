import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { context, ROOT_CONTEXT, SeverityNumber, trace } from "@opentelemetry/api";
import { withRequestScope } from "./context.ts";
import { ServiceError } from "./errors.ts";
import { createLogger } from "./log.ts";
import { memoryLogger } from "./testing/log.ts";
import { startTestTelemetry, type TestTelemetry } from "./testing/telemetry.ts";

/** Processes and servers of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

let telemetry: TestTelemetry;

beforeAll(() => {
  telemetry = startTestTelemetry();
});

afterEach(() => telemetry.reset());

afterAll(() => telemetry.stop());

function inRequest<T>(requestId: string, work: () => T): { readonly result: T; readonly traceId: string } {
  const span = trace.getTracer("test").startSpan("request");
  const scope = withRequestScope(trace.setSpan(ROOT_CONTEXT, span), { requestId, user: "anna" });
  return { result: context.with(scope, work), traceId: span.spanContext().traceId };
}

const extraOf = (line: Readonly<Record<string, unknown>> | undefined) =>
  line?.["extra"] as Readonly<Record<string, unknown>>;

describe("a line", () => {
  test("has these names, and no others", () => {
    const { logger, lines } = memoryLogger("orders");
    const fields = { action: "order.placed", duration_ms: 1.5, extra: { order_id: "o-1" } } as const;
    const { traceId } = inRequest("id-1", () => logger.info(fields, "placed"));
    const [line] = lines;
    expect(line).toEqual({
      level: "info",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      service: "orders",
      request_id: "id-1",
      user: "anna",
      trace_id: traceId,
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      action: "order.placed",
      duration_ms: 1.5,
      extra: { order_id: "o-1" },
      message: "placed",
    });
  });

  test("outside of a request has neither its ids nor those of the request before", () => {
    const { logger, lines } = memoryLogger();
    inRequest("id-1", () => logger.info({ action: "http.request", user: "berta" }, "inside"));
    logger.info({ action: "service.ready", user: undefined }, "outside");
    expect(lines[0]).toMatchObject({ request_id: "id-1", user: "berta" });
    expect(Object.keys(lines[1] ?? {}).sort()).toEqual(["action", "level", "message", "service", "timestamp"]);
  });

  test("under the level is not written", () => {
    const written: string[] = [];
    const destination = { write: (line: string) => written.push(line) };
    const logger = createLogger({ service: "test", level: "warn", sink: "none", destination });
    logger.info({ action: "service.ready" }, "no");
    logger.warn({ action: "service.not_ready" }, "yes");
    expect(written).toHaveLength(1);
  });

  test("is one line, whatever the message holds", () => {
    const written: string[] = [];
    const destination = { write: (line: string) => written.push(line) };
    const logger = createLogger({ service: "test", level: "info", sink: "none", destination });
    logger.info(
      { action: "service.ready", extra: { path: '/x\n{"level":"fatal"}' } },
      'a\n{"action":"forged"}\u2028%s %o',
    );
    expect(written[0]?.indexOf("\n")).toBe((written[0]?.length ?? 0) - 1);
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ level: "info", action: "service.ready" });
  });
});

describe("secrets", () => {
  const names = [
    "authorization",
    "Authorization",
    "proxy-authorization",
    "cookie",
    "Set-Cookie",
    "password",
    "new_password",
    "secret",
    "clientSecret",
    "client_secret",
    "token",
    "accessToken",
    "access_token",
    "my_refresh_token",
    "x-api-key",
    "apiKey",
    "privateKey",
    "otp",
  ];

  test.each(names)("%s is redacted at each depth", (name) => {
    const { logger, lines } = memoryLogger();
    const extra = {
      [name]: "hidden",
      a: { [name]: "hidden", b: { [name]: ["hidden"], c: [{ d: { [name]: "hidden" } }] } },
    };
    logger.info({ action: "http.request", extra }, "m");
    expect(JSON.stringify(lines)).not.toContain("hidden");
    expect(extraOf(lines[0])[name]).toBe("[redacted]");
    expect(extra[name]).toBe("hidden");
  });

  test("what only sounds like one is kept", () => {
    const { logger, lines } = memoryLogger();
    const extra = { token_id: "t-1", secrets_rotated: 2, cookies: 3, monkey: "m" };
    logger.info({ action: "http.request", extra }, "m");
    expect(extraOf(lines[0])).toEqual(extra);
  });

  test("that libraries hang on their errors stay out of the line", () => {
    const { logger, lines } = memoryLogger();
    const cause = Object.assign(new Error("inner"), { parameters: ["hidden"], detail: "Key (name)=(hidden)" });
    const err = Object.assign(new Error("outer", { cause }), { code: "E_OUTER", config: { headers: { a: "hidden" } } });
    logger.error({ action: "http.error", err, extra: { nested: err } }, "m");
    expect(JSON.stringify(lines)).not.toContain("hidden");
    expect(lines[0]?.["err"]).toMatchObject({ type: "Error", message: "outer", code: "E_OUTER" });
    const stack = (lines[0]?.["err"] as { readonly stack: string } | undefined)?.stack;
    expect(stack).toContain("outer");
    expect(stack).toContain("caused by: Error: inner");
  });
});

describe("logging never throws", () => {
  const circular: Record<string, unknown> = { a: 1 };
  circular["self"] = circular;
  const selfCaused = new Error("loop");
  selfCaused.cause = selfCaused;
  const nested = (depth: number): unknown => (depth === 0 ? "bottom" : { next: nested(depth - 1) });
  const values: readonly (readonly [string, unknown, unknown])[] = [
    ["a circle", circular, { a: 1, self: "[circular]" }],
    ["a BigInt", 10n, "10"],
    [
      "a throwing toJSON",
      {
        toJSON: () => {
          throw new Error("no");
        },
      },
      "[unreadable]",
    ],
    [
      "an endless toJSON",
      {
        toJSON() {
          return this;
        },
      },
      "[circular]",
    ],
    [
      "a throwing getter",
      {
        get a() {
          throw new Error("no");
        },
      },
      "[unreadable]",
    ],
    ["a revoked proxy", revoked(), "[unreadable]"],
    ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["no date", new Date(Number.NaN), null],
    ["no number", Number.NaN, null],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["a function", () => 1, "[function]"],
    ["depth", nested(20), { next: { next: { next: { next: { next: "[too deep]" } } } } }],
    ["a long text", "x".repeat(10_000), `${"x".repeat(8_192)}… (10000 characters)`],
    ["a lone surrogate", "\ud800", "\ud800"],
    ["a prototype", JSON.parse('{"__proto__":{"a":1}}'), {}],
  ];

  test.each(values)("of %s", (_, value, written) => {
    const { logger, lines } = memoryLogger();
    logger.info({ action: "http.request", extra: { value } }, "m");
    logger.error({ action: "http.error", err: value }, "m");
    expect(lines).toHaveLength(2);
    if (_ !== "a prototype") expect(extraOf(lines[0])).toEqual({ value: written });
  });

  test.each([
    ["text", "thrown text", { type: "string", message: '"thrown text"' }],
    ["nothing", null, { type: "object", message: "null" }],
    ["an error that causes itself", selfCaused, { type: "Error", message: "loop" }],
    ["a fault of ours", new ServiceError("out_of_stock"), { type: "ServiceError", code: "out_of_stock" }],
  ])("of %s as an error", (_, err, written) => {
    const { logger, lines } = memoryLogger();
    logger.error({ action: "http.error", err }, "m");
    expect(lines[0]?.["err"]).toMatchObject(written);
  });

  function revoked(): unknown {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }
});

describe("the OpenTelemetry sink", () => {
  const silent = { write: () => undefined };
  const open = () => createLogger({ service: "orders", level: "debug", sink: "otlp", destination: silent });

  test("gets every line as a record of the logs API, with the trace of its request", () => {
    const logger = open();
    const err = new TypeError("broken");
    const { traceId } = inRequest("id-1", () =>
      logger.error(
        { action: "http.error", duration_ms: 2, err, extra: { status: 500, route: null, list: [1], token: "hidden" } },
        "failed",
      ),
    );
    const [record] = telemetry.logs();
    expect(telemetry.logs()).toHaveLength(1);
    expect(record?.spanContext?.traceId).toBe(traceId);
    expect(record).toMatchObject({ body: "failed", severityText: "error", severityNumber: SeverityNumber.ERROR });
    expect(record?.attributes).toEqual({
      action: "http.error",
      request_id: "id-1",
      user: "anna",
      duration_ms: 2,
      "extra.status": 500,
      "extra.list": "[1]",
      "extra.token": "[redacted]",
      "exception.type": "TypeError",
      "exception.message": "broken",
      "exception.stacktrace": expect.stringContaining("TypeError: broken"),
    });
  });

  test("is not used when the sink is none", () => {
    createLogger({ service: "orders", level: "info", sink: "none", destination: silent }).info(
      { action: "service.ready" },
      "m",
    );
    expect(telemetry.logs()).toHaveLength(0);
  });
});

describe("the Loki sink", () => {
  interface Push {
    readonly streams: readonly {
      readonly stream: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [string, string])[];
    }[];
  }

  async function startLoki(answer = () => new Response(null, { status: 204 })) {
    const pushes: { readonly path: string; readonly authorization: string | null; readonly body: Push }[] = [];
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const body = (await request.json()) as Push;
        pushes.push({ path: new URL(request.url).pathname, authorization: request.headers.get("authorization"), body });
        return answer();
      },
    });
    const streams = () => pushes.flatMap(({ body }) => body.streams);
    return { url: server.url.origin, pushes, streams, stop: () => server.stop(true) };
  }

  test("gets what a process wrote before it ended, with its token, levels, labels and times", async () => {
    const loki = await startLoki();
    const before = Date.now();
    const child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "testing/fixture-log.ts"), loki.url, "ingest-token"],
      {
        env: {},
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    expect(await child.exited).toBe(0);
    const written = (await new Response(child.stdout).text()).trimEnd().split("\n");
    expect(loki.pushes[0]?.path).toBe("/loki/api/v1/push");
    expect(loki.pushes.every(({ authorization }) => authorization === "Bearer ingest-token")).toBe(true);
    const streams = loki.streams();
    expect(streams.map(({ stream }) => stream)).toEqual([
      { level: "info", service_name: "fixture" },
      { level: "warning", service_name: "fixture" },
      { level: "error", service_name: "fixture" },
    ]);
    const values = streams.flatMap(({ values }) => values);
    expect(values.map(([, line]) => JSON.parse(line))).toEqual(written.map((line) => JSON.parse(line)));
    for (const [time, line] of values) {
      const { timestamp } = JSON.parse(line) as { readonly timestamp: string };
      expect(time).toBe(`${Date.parse(timestamp)}000000`);
      expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(before);
    }
    expect(JSON.stringify(streams)).not.toContain("hidden");
    await loki.stop();
  });

  test("goes on after a flush", async () => {
    const loki = await startLoki();
    const logger = createLogger({
      service: "test",
      level: "info",
      sink: "loki",
      loki: { url: loki.url, token: "ingest-token" },
      destination: { write: () => undefined },
    });
    logger.info({ action: "service.ready" }, "before");
    await logger.flush();
    logger.info({ action: "service.ready" }, "after");
    await logger.flush();
    await logger.flush();
    const messages = loki.streams().flatMap(({ values }) => values.map(([, line]) => JSON.parse(line).message));
    expect(messages).toEqual(["before", "after"]);
    await loki.stop();
  });
});
