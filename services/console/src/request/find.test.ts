import { describe, expect, test } from "bun:test";
import type { Answer } from "../engines/ask.ts";
import type { Engines } from "../engines/engines.ts";
import type { Span, Trace } from "../engines/jaeger.ts";
import type { LinesOptions, LogEntry } from "../engines/loki.ts";
import { createSearch, rootOf } from "./find.ts";
import { parseRequestKey } from "./request-id.ts";
import { summarise } from "./summary.ts";
import { layOut, titleOf } from "./waterfall.ts";

const nowMs = Date.parse("2026-11-21T08:00:00Z");
const hourMs = 3_600_000;
const traceId = "0123456789abcdef0123456789abcdef";

function span(
  id: string,
  parentId: string | undefined,
  startUs: number,
  durationUs: number,
  more: Partial<Span> = {},
): Span {
  return {
    id,
    parentId,
    service: "gateway",
    name: id,
    startUs,
    durationUs,
    kind: "internal",
    failed: false,
    attributes: {},
    events: [],
    ...more,
  };
}

const trace: Trace = {
  id: traceId,
  spans: [span("a", undefined, (nowMs - 60_000) * 1_000, 10_000, { kind: "server" })],
};

function entry(service: string, fields: Record<string, string>): LogEntry {
  return { timeNs: `${nowMs - 60_000}000000`, message: "x", service, level: "info", fields };
}

const away = (source: "loki" | "jaeger"): Answer<never> => ({
  ok: false,
  missing: { source, reason: "unreachable", detail: undefined, requestId: undefined },
});

interface Fake {
  readonly lines?: (options: LinesOptions) => Answer<readonly LogEntry[]>;
  readonly byId?: Answer<Trace | undefined>;
  readonly byTag?: Answer<readonly Trace[]>;
}

function engines({ lines, byId, byTag }: Fake) {
  const asked: LinesOptions[] = [];
  const fake = {
    loki: {
      lines: async (_: string, options: LinesOptions) => {
        asked.push(options);
        return lines?.(options) ?? { ok: true, value: [] };
      },
    },
    jaeger: {
      trace: async () => byId ?? { ok: true, value: undefined },
      find: async () => byTag ?? { ok: true, value: [] },
    },
  } as unknown as Engines;
  return { fake, asked };
}

function keyOf(text: string) {
  const key = parseRequestKey(text);
  if (key === undefined) throw new Error("no key");
  return key;
}

describe("an id", () => {
  test("tells by its form what it is, and by its first digits when it came", () => {
    const atMs = nowMs - 5_000;
    expect(keyOf(Bun.randomUUIDv7("hex", atMs))).toMatchObject({ kind: "request", atMs });
    expect(keyOf(traceId)).toMatchObject({ kind: "trace", atMs: undefined });
    expect(keyOf("req-1")).toMatchObject({ kind: "request", atMs: undefined });
    for (const text of ["", "<script>", "a/b", "a b", '"} or {', "x".repeat(129)])
      expect(parseRequestKey(text)).toBeUndefined();
  });
});

describe("a search", () => {
  test("looks only around the time the id tells", async () => {
    const { fake, asked } = engines({});
    const atMs = nowMs - 5 * hourMs;
    const found = await createSearch(fake, keyOf(Bun.randomUUIDv7("hex", atMs)), nowMs).lines();
    expect(found.entries).toEqual([]);
    expect(found.looked.length).toBe(2);
    for (const { fromMs, toMs } of asked) expect([fromMs, toMs <= nowMs + 60_000]).toEqual([atMs - 60_000, true]);
  });

  test("goes back hour, day, week when the id tells nothing, and stops where it finds something", async () => {
    const found = entry("orders", { request_id: "req-1" });
    const { fake, asked } = engines({
      lines: ({ fromMs }) => ({ ok: true, value: nowMs - fromMs > 2 * hourMs ? [found] : [] }),
    });
    expect((await createSearch(fake, keyOf("req-1"), nowMs).lines()).entries).toEqual([found]);
    expect(asked.map(({ fromMs }) => Math.round((nowMs - fromMs) / hourMs))).toEqual([1, 24]);
  });

  test("by trace looks into the log around the time Jaeger tells", async () => {
    const { fake, asked } = engines({ byId: { ok: true, value: trace } });
    await createSearch(fake, keyOf(traceId), nowMs).lines();
    expect(asked.map(({ fromMs }) => fromMs)).toEqual([nowMs - 120_000]);
  });

  test("finds the trace by the lines when it did not come through the gateway", async () => {
    const { fake } = engines({
      lines: () => ({ ok: true, value: [entry("orders", { trace_id: traceId })] }),
      byId: { ok: true, value: trace },
    });
    expect((await createSearch(fake, keyOf("req-1"), nowMs).trace()).trace).toEqual(trace);
  });

  test("tells of the engine that is away and finds what the other has", async () => {
    const withoutLoki = createSearch(
      engines({ lines: () => away("loki"), byTag: { ok: true, value: [trace] } }).fake,
      keyOf("req-1"),
      nowMs,
    );
    expect((await withoutLoki.lines()).looked.map(({ missing }) => missing?.source)).toEqual(["loki"]);
    expect((await withoutLoki.trace()).trace).toEqual(trace);
    const line = entry("gateway", { action: "http.request", extra_status: "200" });
    const withoutJaeger = createSearch(
      engines({ lines: () => ({ ok: true, value: [line] }), byTag: away("jaeger") }).fake,
      keyOf("req-1"),
      nowMs,
    );
    expect((await withoutJaeger.lines()).entries).toEqual([line]);
    expect((await withoutJaeger.trace()).looked.some(({ missing }) => missing?.source === "jaeger")).toBe(true);
  });
});

describe("the head", () => {
  const access = entry("gateway", {
    action: "http.request",
    extra_method: "POST",
    extra_route: "/api/orders/**",
    extra_path: "/api/orders",
    extra_status: "503",
    duration_ms: "12.5",
    user: "anna",
  });

  test("is told by the gateway's line, with the time of its span", () => {
    const other = entry("orders", { action: "http.request", extra_status: "500", duration_ms: "90" });
    expect(summarise([other, access], trace)).toMatchObject({
      service: "gateway",
      method: "POST",
      status: 503,
      durationMs: 10,
      user: "anna",
      services: ["gateway", "orders"],
    });
  });

  test("is told by the span of the gateway, though whoever sent the request has one before it", () => {
    const began = (nowMs - 60_000) * 1_000;
    const spans = [
      span("sent", undefined, began, 12_000, { service: "generator", kind: "client" }),
      span("came", "sent", began + 1_000, 10_000, {
        kind: "server",
        attributes: { "http.request.method": "POST", "http.route": "/api/orders/**", "url.path": "/api/orders" },
      }),
      span("passed", "came", began + 2_000, 8_000, { kind: "client" }),
      span("served", "passed", began + 3_000, 7_000, { service: "orders", kind: "server" }),
    ];
    expect(summarise([], { id: traceId, spans })).toMatchObject({
      service: "gateway",
      route: "/api/orders/**",
      path: "/api/orders",
      durationMs: 10,
      startMs: began / 1_000 + 1,
    });
  });

  test("is told by either half alone, and by none not at all", () => {
    expect(summarise([access], undefined)).toMatchObject({ status: 503, durationMs: 12.5, startMs: nowMs - 60_012.5 });
    const attributes = {
      "http.request.method": "GET",
      "http.response.status_code": "404",
      "url.path": "/x",
      "user.id": "anna",
    };
    const alone = { id: traceId, spans: [span("a", undefined, nowMs * 1_000, 5_000, { kind: "server", attributes })] };
    expect(summarise([], alone)).toMatchObject({ method: "GET", status: 404, path: "/x", user: "anna", durationMs: 5 });
    expect(summarise([], undefined)).toBeUndefined();
  });
});

describe("the waterfall", () => {
  test("puts each span below the one that began it, in the order of time", () => {
    const spans = [
      span("root", undefined, 0, 100),
      span("late", "root", 60, 10),
      span("early", "root", 10, 40),
      span("deep", "early", 20, 20),
    ];
    const { rows, durationUs } = layOut({ id: "t", spans: spans.toSorted((a, b) => a.startUs - b.startUs) });
    expect(rows.map(({ span: { id }, depth, left, width }) => [id, depth, left, width])).toEqual([
      ["root", 0, 0, 100],
      ["early", 1, 10, 40],
      ["deep", 2, 20, 20],
      ["late", 1, 60, 10],
    ]);
    expect(durationUs).toBe(100);
  });

  test("draws spans whose parent is missing, and those that name each other ends", () => {
    const spans = [span("orphan", "gone", 0, 10), span("x", "y", 1, 1), span("y", "x", 1, 1)];
    const { rows, hidden } = layOut({ id: "t", spans });
    expect([rows.length, hidden]).toEqual([1, 2]);
    expect(rootOf({ id: "t", spans })?.id).toBe("orphan");
  });

  test("of ten thousand spans shows the first and says how many more there are", () => {
    const spans = Array.from({ length: 10_000 }, (_, n) => span(`s${n}`, n === 0 ? undefined : `s${n - 1}`, n, 10));
    const { rows, hidden } = layOut({ id: "t", spans });
    expect(rows.length + hidden).toBe(10_000);
    expect(rows.length).toBeLessThan(1_000);
  });

  test("calls a span by its statement or its call", () => {
    expect(titleOf(span("pg.query:x", undefined, 0, 1, { attributes: { "db.query.text": "select\n  1" } }))).toBe(
      "select 1",
    );
    const attributes = { "url.full": "http://127.0.0.1:8083/api/inventory", "http.request.method": "POST" };
    expect(titleOf(span("POST", undefined, 0, 1, { kind: "client", attributes }))).toBe("POST /api/inventory");
  });
});
