import { afterEach, beforeEach, describe, expect, jest, setDefaultTimeout, test } from "bun:test";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { createBaseApp } from "./http/app.ts";
import { createLifecycle } from "./lifecycle.ts";
import { type LogLine, memoryLogger } from "./testing/log.ts";
import { type OtlpSink, startOtlpSink } from "./testing/otlp-sink.ts";

/** Processes and servers of their own are slow on a busy machine. */
setDefaultTimeout(30_000);

const preload = join(import.meta.dir, "telemetry/preload.ts");
const fixture = join(import.meta.dir, "testing/fixture-lifecycle.ts");

describe("start-up", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  }

  test("a task that fails is tried again, with growing delay, until it succeeds; then the service is ready", async () => {
    const { logger, lines } = memoryLogger();
    const lifecycle = createLifecycle({ logger });
    let tries = 0;
    lifecycle.task("migrations", async () => {
      tries += 1;
      if (tries <= 7) throw new Error("not yet");
    });
    await settle();
    for (const delayMs of [200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      const before = tries;
      expect(lifecycle.readiness.isStarting()).toBe(true);
      expect(await lifecycle.readiness.report()).toEqual({
        ready: false,
        checks: { migrations: "failed, will be tried again" },
      });
      jest.advanceTimersByTime(delayMs - 1);
      await settle();
      expect(tries).toBe(before);
      jest.advanceTimersByTime(1);
      await settle();
      expect(tries).toBe(before + 1);
    }
    expect(lifecycle.readiness.isStarting()).toBe(false);
    expect(lifecycle.readiness.isReady()).toBe(true);
    expect(lines.filter(({ action }) => action === "service.ready")).toHaveLength(1);
    expect(lines.filter(({ action }) => action === "service.not_ready")).toHaveLength(7);
  });

  test("stopping ends a task that would be tried again", async () => {
    const { logger } = memoryLogger();
    const lifecycle = createLifecycle({ logger });
    let tries = 0;
    lifecycle.task("migrations", async () => {
      tries += 1;
      throw new Error("never");
    });
    await settle();
    await lifecycle.stop();
    await settle();
    jest.advanceTimersByTime(10_000);
    await settle();
    expect(tries).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test("a check that hangs is given two seconds, and one that throws says why", async () => {
    const { logger } = memoryLogger();
    const lifecycle = createLifecycle({ logger });
    lifecycle.check("hangs", () => new Promise(() => undefined));
    lifecycle.check("throws", () => Promise.reject(new Error("refused")));
    lifecycle.check("throws at once", () => {
      throw new Error("at once");
    });
    lifecycle.check("holds", async () => undefined);
    lifecycle.inform("tells", () => Promise.reject(new Error("amiss")));
    const reporting = lifecycle.readiness.report();
    await settle();
    jest.advanceTimersByTime(2_000);
    expect(await reporting).toEqual({
      ready: false,
      checks: {
        hangs: "no answer within 2000 ms",
        throws: "refused",
        "throws at once": "at once",
        holds: "ok",
        tells: "amiss",
      },
    });
  });

  test("what only informs does not decide readiness", async () => {
    const { logger } = memoryLogger();
    const lifecycle = createLifecycle({ logger });
    lifecycle.inform("tells", () => Promise.reject(new Error("amiss")));
    expect(await lifecycle.readiness.report()).toEqual({ ready: true, checks: { tells: "amiss" } });
  });

  test("a slow report that began before a task ended does not undo what was found after", async () => {
    const { logger, lines } = memoryLogger();
    const lifecycle = createLifecycle({ logger });
    const slow = Promise.withResolvers<void>();
    const answers = [slow.promise];
    const task = Promise.withResolvers<void>();
    lifecycle.check("postgres", () => answers.shift() ?? Promise.resolve());
    lifecycle.task("migrations", () => task.promise);
    const early = lifecycle.readiness.report();
    await settle();
    task.resolve();
    await settle();
    expect(lifecycle.readiness.isReady()).toBe(true);
    slow.resolve();
    await early;
    expect(lifecycle.readiness.isReady()).toBe(true);
    expect(lines.map(({ action }) => action)).toEqual(["service.ready"]);
  });
});

describe("readiness while stopping", () => {
  test("is off before the first resource closes, and stays off", async () => {
    const { logger } = memoryLogger();
    const lifecycle = createLifecycle({ logger });
    await lifecycle.readiness.report();
    expect(lifecycle.readiness.isReady()).toBe(true);
    const seen: boolean[] = [];
    lifecycle.own("resource", async () => {
      seen.push(lifecycle.readiness.isReady(), (await lifecycle.readiness.report()).ready);
    });
    const server = lifecycle.serve(createBaseApp({ service: "test", logger, readiness: lifecycle.readiness }), {
      host: "127.0.0.1",
      port: 0,
    });
    const [first, second] = [lifecycle.stop(), lifecycle.stop()];
    expect(lifecycle.readiness.isReady()).toBe(false);
    expect(first).toBe(second);
    await first;
    expect(seen).toEqual([false, false]);
    await expect(fetch(server.url)).rejects.toThrow();
  });
});

interface Run {
  readonly child: Subprocess<"ignore", "pipe", "pipe">;
  /** Resolves with the first match in what the process writes. */
  line(wanted: RegExp): Promise<string>;
  lines(): readonly LogLine[];
  ended(): Promise<{ readonly code: number; readonly lines: readonly LogLine[]; readonly stderr: string }>;
}

const running: Subprocess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill("SIGKILL");
    await child.exited;
  }
});

/** Runs the fixture as a service is run: as its own process, with the preload. */
function start(env: Readonly<Record<string, string>> = {}): Run {
  const child = Bun.spawn([process.execPath, "--preload", preload, fixture], {
    env: { KEY: "long enough", OTEL_SERVICE_NAME: "fixture", LOG_SINK: "none", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  running.push(child);
  let text = "";
  const waiting = new Set<() => void>();
  const done = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      text += decoder.decode(chunk, { stream: true });
      for (const look of waiting) look();
    }
  })();
  const lines = () =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as LogLine);
  return {
    child,
    lines,
    line: (wanted) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const look = () => {
        const match = wanted.exec(text);
        if (match !== null) resolve(match[1] ?? match[0]);
      };
      waiting.add(look);
      look();
      void done.then(() => reject(new Error(`ended without ${wanted}: ${text}`)));
      return promise;
    },
    ended: async () => {
      const [code, stderr] = await Promise.all([child.exited, new Response(child.stderr).text(), done]);
      return { code, lines: lines(), stderr };
    },
  };
}

const address = /listening on (http:\/\/[^/"]+)/;
const messages = (lines: readonly LogLine[]) => lines.map(({ message }) => message);

describe("a process", () => {
  test("with faults in its configuration says all of them in one line and ends with 1", async () => {
    const { code, lines } = await start({ KEY: "short", PORT: "http", HANG: "maybe" }).ended();
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: "fatal",
      action: "config.invalid",
      service: "fixture",
      extra: {
        faults: [
          "PORT: must be a whole number from 0 to 65535",
          "KEY: must have at least 8 characters",
          "HANG: must be on or off",
        ],
      },
    });
  });

  test("with faults in its telemetry settings says so in one line and ends with 1", async () => {
    const { code, lines, stderr } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
      OTEL_EXPORTER_OTLP_HEADERS: "x-token=%zz",
    }).ended();
    expect(code).toBe(1);
    expect(lines).toEqual([]);
    expect(JSON.parse(stderr)).toMatchObject({
      level: "fatal",
      action: "config.invalid",
      extra: {
        faults: [
          "OTEL_EXPORTER_OTLP_ENDPOINT: must be an http or https URL",
          "OTEL_EXPORTER_OTLP_HEADERS: must be name=value pairs with percent-encoded values",
        ],
      },
    });
  });

  test("that cannot start ends with 1, though it holds resources", async () => {
    const { code, lines } = await start({ FAIL_START: "on" }).ended();
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "fatal", action: "service.failed", err: { message: "cannot start" } });
  });

  test("answers 503 until its tasks have succeeded, then is ready", async () => {
    const gate = join(tmpdir(), `vitrine-gate-${crypto.randomUUID()}`);
    const service = start({ GATE_FILE: gate });
    const base = await service.line(address);
    const early = await fetch(`${base}/last`);
    expect([early.status, early.headers.get("retry-after")]).toEqual([503, "1"]);
    expect((await fetch(`${base}/health/ready`)).status).toBe(503);
    await Bun.write(gate, "");
    await service.line(/"message":"ready"/);
    await rm(gate);
    expect((await fetch(`${base}/health/ready`)).status).toBe(200);
    expect((await fetch(`${base}/last`)).status).toBe(200);
  });

  test("told to stop finishes the request in flight, closes in reverse and ends with 0, signalled twice or not", async () => {
    const service = start();
    const base = await service.line(address);
    await service.line(/"message":"ready"/);
    const idle = await fetch(`${base}/last`);
    await idle.text();
    const answer = fetch(`${base}/slow`);
    await service.line(/slow began/);
    service.child.kill("SIGTERM");
    service.child.kill("SIGINT");
    service.child.kill("SIGTERM");
    expect(await (await answer).text()).toBe("finished");
    const startedAt = performance.now();
    const { code, lines } = await service.ended();
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    const told = messages(lines);
    expect(told.slice(told.indexOf("stopping"))).toEqual([
      "stopping",
      "GET /slow 200",
      "closed second",
      "a resource could not be closed",
      "closed first",
      "stopped",
    ]);
    await expect(fetch(`${base}/last`)).rejects.toThrow();
  });

  test("ends in time with a resource that hangs and a collector that hangs, and says what it lost", async () => {
    const sink = await startOtlpSink();
    sink.answer = () => new Promise(() => undefined);
    const service = start({ HANG: "on", LOG_SINK: "otlp", OTEL_EXPORTER_OTLP_ENDPOINT: sink.url });
    const base = await service.line(address);
    await fetch(`${base}/last`);
    service.child.kill("SIGTERM");
    const startedAt = performance.now();
    const { code, lines, stderr } = await service.ended();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(code).toBe(0);
    expect(messages(lines)).toContain("closed first");
    const lost = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as LogLine);
    expect(lost.map(({ extra }) => (extra as { readonly signal: string }).signal).sort()).toEqual([
      "logs",
      "metrics",
      "traces",
    ]);
    for (const line of lost) {
      expect(line).toMatchObject({
        action: "telemetry.dropped",
        extra: { reason: "shutdown", bytes: expect.any(Number) },
      });
    }
    await sink.stop();
  });

  describe("with a collector", () => {
    let sink: OtlpSink;

    beforeEach(async () => {
      sink = await startOtlpSink();
    });

    afterEach(() => sink.stop());

    const exporting = () => ({ LOG_SINK: "otlp", OTEL_EXPORTER_OTLP_ENDPOINT: sink.url });

    test("leaves nothing behind: the spans and lines made just before the signal arrive", async () => {
      const service = start(exporting());
      const base = await service.line(address);
      const ids = Array.from({ length: 20 }, (_, n) => `last-${n}`);
      await Promise.all(ids.map((id) => fetch(`${base}/last`, { headers: { "x-request-id": id } })));
      service.child.kill("SIGTERM");
      const { code, stderr } = await service.ended();
      expect([code, stderr]).toEqual([0, ""]);
      expect(sink.spans).toHaveLength(ids.length);
      expect(new Set(sink.spans.map(({ attributes }) => attributes["request.id"]))).toEqual(new Set(ids));
      expect(sink.logs.filter(({ attributes }) => attributes["action"] === "http.request")).toHaveLength(20);
      expect(sink.logs.at(-1)?.body).toBe("stopped");
      expect(sink.metrics.has("fixture http.server.request.duration")).toBe(true);
    });

    test.each([
      ["/crash", "thrown past everyone"],
      ["/reject", "rejected past everyone"],
    ])("ended by an error nobody caught (%s) ends with 1, and the collector knows why", async (path, message) => {
      const service = start(exporting());
      const base = await service.line(address);
      await fetch(`${base}${path}`).catch(() => undefined);
      const { code, lines } = await service.ended();
      expect(code).toBe(1);
      expect(lines.at(-1)).toMatchObject({ level: "fatal", action: "service.failed", err: { message } });
      const record = sink.logs.find(({ attributes }) => attributes["action"] === "service.failed");
      expect(record?.attributes["exception.message"]).toBe(message);
    });
  });

  test("with OTEL_SDK_DISABLED works without telemetry", async () => {
    const service = start({ OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
    const base = await service.line(address);
    expect(await (await fetch(`${base}/metrics`)).text()).toBe("# telemetry is off\n");
    service.child.kill("SIGTERM");
    expect((await service.ended()).code).toBe(0);
  });
});
