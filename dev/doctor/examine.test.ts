import { describe, expect, test } from "bun:test";
import { layoutOf } from "../layout.ts";
import { composeAdvice, deskAdvice } from "./advice.ts";
import { examine } from "./examine.ts";
import type { Addresses, ExamineOptions, Hop } from "./hop.ts";

const addresses: Addresses = {
  gateway: "http://gateway",
  otlp: "http://otlp",
  collectorHealth: "http://collector/health",
  collectorMetrics: "http://collector/metrics",
  prometheusReady: "http://prometheus/ready",
  lokiReady: "http://loki/ready",
  jaegerReady: "http://jaeger/ready",
  alertmanagerReady: "http://alertmanager/ready",
};

type Answer = (url: URL, init: RequestInit) => Response | undefined;

/** A system in which everything works, but for what `broken` answers; time passes only by sleeping. */
function system(broken: Answer = () => undefined, options: Partial<ExamineOptions> = {}): ExamineOptions {
  let clock = Date.parse("2026-01-01T00:00:00Z");
  const seen = new Map<string, string>();
  const now = options.now ?? (() => clock);
  return {
    addresses,
    advice: deskAdvice(layoutOf({ VITRINE_DIR: "/checkout/.vitrine" })),
    token: () => Promise.resolve("token"),
    deadlineMs: 1_000,
    sleep: (ms) => Promise.resolve((clock += ms)),
    fetch: (address, init) => {
      const url = new URL(address);
      const answer = broken(url, init) ?? healthy(url, init, seen);
      answer.headers.set("date", new Date(clock).toUTCString());
      return Promise.resolve(answer);
    },
    ...options,
    now,
  };
}

function healthy(url: URL, init: RequestInit, seen: Map<string, string>): Response {
  if (url.host === "otlp") {
    if (typeof init.body === "string") seen.set(url.pathname, init.body);
    return new Response("{}");
  }
  if (url.pathname.startsWith("/loki/")) return new Response(seen.get("/v1/logs"));
  if (url.pathname === "/alertmanager/api/v2/status") return Response.json({ config: { original: "route: {}" } });
  if (url.pathname === "/prometheus/api/v1/alertmanagers")
    return Response.json({ data: { activeAlertmanagers: [{ url: "http://alertmanager/api/v2/alerts" }] } });
  if (asksReload(url)) return reloaded(1);
  if (url.pathname.startsWith("/prometheus/")) return new Response(seen.get("/v1/metrics"));
  if (url.pathname.startsWith("/jaeger/")) return new Response(seen.get("/v1/traces"));
  return new Response("ok");
}

function asksReload(url: URL): boolean {
  return url.searchParams.get("query") === "alertmanager_config_last_reload_successful";
}

function reloaded(value: number): Response {
  return Response.json({ data: { result: [{ metric: {}, value: [0, String(value)] }] } });
}

function broken(hops: readonly Hop[]): readonly Hop[] {
  return hops.filter((hop) => !hop.ok);
}

const refused = () => {
  throw new TypeError("connection refused");
};

describe("doctor", () => {
  test("a whole system has no broken hop, and every signal is seen in its engine", async () => {
    const hops = await examine(system());
    expect(broken(hops)).toEqual([]);
    expect(hops.map((hop) => hop.hop)).toEqual([
      "gateway",
      "auth",
      "collector",
      "loki",
      "collector",
      "prometheus",
      "collector",
      "jaeger",
      "alertmanager",
    ]);
  });

  test("where nobody keeps traces a span is followed to the collector, and Jaeger is not asked", async () => {
    const gone: Answer = (url) => (url.pathname.startsWith("/jaeger") ? new Response("", { status: 503 }) : undefined);
    const hops = await examine(system(gone, { keepsTraces: false }));
    expect(broken(hops)).toEqual([]);
    expect(hops.filter(({ signal }) => signal === "traces").map(({ hop }) => hop)).toEqual(["collector"]);
  });

  test("nothing at the gateway's port: the gateway is named, and nothing after it is tried", async () => {
    const hops = await examine(system((url) => (url.host === "gateway" ? refused() : undefined)));
    expect(hops).toHaveLength(1);
    expect(hops[0]).toMatchObject({ hop: "gateway", ok: false });
    expect(hops[0]?.mend).toContain("bun run dev");
    expect(hops[0]?.mend).toContain("/checkout/.vitrine/logs/gateway.log");
  });

  test("where compose started it, nothing is said of the desk's commands and logs", async () => {
    const said: string[] = [];
    const advice = composeAdvice;
    const refusing = (status: number) => (url: URL) =>
      url.host === "otlp" ? new Response("no", { status }) : undefined;
    for (const answer of [refusing(401), refusing(503), (url: URL) => (url.host === "gateway" ? refused() : undefined)])
      said.push(...broken(await examine(system(answer, { advice }))).map(({ mend }) => mend ?? ""));
    const noToken = { advice, token: () => Promise.reject(new Error("invalid_client")) };
    said.push(...broken(await examine(system(undefined, noToken))).map(({ mend }) => mend ?? ""));
    expect(said).toContain("start it with `docker compose up --wait`; if it runs, see `docker compose logs gateway`");
    expect(said.filter((mend) => mend === "" || /bun run|\.vitrine/.test(mend))).toEqual([]);
  });

  test("a clock that differs from the gateway's is named before any token is asked for", async () => {
    const hops = await examine(system(undefined, { now: () => Date.parse("2026-01-01T01:00:00Z") }));
    expect(broken(hops)).toMatchObject([{ hop: "clock" }]);
    expect(hops.at(-1)?.detail).toContain("3600 s");
  });

  test("no token: auth is named with what it said", async () => {
    const hops = await examine(system(undefined, { token: () => Promise.reject(new Error("invalid_client")) }));
    expect(broken(hops)).toMatchObject([{ hop: "auth" }]);
    expect(hops.at(-1)?.detail).toContain("invalid_client");
  });

  test("a token of another system is named for each signal", async () => {
    const hops = await examine(
      system((url) => (url.host === "otlp" ? new Response("the token is not valid", { status: 401 }) : undefined)),
    );
    expect(broken(hops)).toMatchObject([{ hop: "token" }, { hop: "token" }, { hop: "token" }]);
  });

  test("a fresh token that the gateway holds for expired means a clock", async () => {
    const hops = await examine(
      system((url) => (url.host === "otlp" ? new Response("the token has expired", { status: 401 }) : undefined)),
    );
    expect(new Set(broken(hops).map((hop) => hop.hop))).toEqual(new Set(["clock"]));
  });

  test("a token without the scope of one signal breaks that signal alone", async () => {
    const hops = await examine(
      system((url) => (url.href === "http://otlp/v1/logs" ? new Response("scope", { status: 403 }) : undefined)),
    );
    expect(broken(hops)).toMatchObject([{ hop: "token", signal: "logs" }]);
    expect(broken(hops)[0]?.mend).toContain("logs:write");
  });

  test("a stopped collector is named, not the gateway that answers 503 for it", async () => {
    const hops = await examine(
      system((url) => {
        if (url.host === "otlp") return new Response("upstream down", { status: 503 });
        return url.host === "collector" ? refused() : undefined;
      }),
    );
    expect(new Set(broken(hops).map((hop) => hop.hop))).toEqual(new Set(["collector"]));
    expect(broken(hops)[0]?.detail).toContain("does not answer");
  });

  test("a stopped Loki breaks logs alone, and says that the collector keeps them", async () => {
    const hops = await examine(
      system((url) => {
        if (url.pathname.startsWith("/loki/")) return new Response("", { status: 503 });
        return url.host === "loki" ? refused() : undefined;
      }),
    );
    expect(broken(hops)).toMatchObject([{ hop: "loki", signal: "logs" }]);
    expect(broken(hops)[0]?.detail).toContain("keeps the data on disk");
  });

  test("an engine that is up but never shows the probe is named with the collector's queue", async () => {
    const hops = await examine(
      system((url) => {
        if (url.pathname.startsWith("/jaeger/")) return new Response("not found", { status: 200 });
        if (url.href === addresses.collectorMetrics)
          return new Response('otelcol_exporter_queue_size{exporter="otlp_http/jaeger"} 7');
        return undefined;
      }),
    );
    expect(broken(hops)).toMatchObject([{ hop: "jaeger", signal: "traces" }]);
    expect(broken(hops)[0]?.detail).toContain("otelcol_exporter_queue_size 7");
  });

  test("a stopped Alertmanager is named, and that nobody is told of alerts; signals are well", async () => {
    const hops = await examine(
      system((url) => {
        if (url.pathname.startsWith("/alertmanager/")) return new Response("", { status: 503 });
        return url.host === "alertmanager" ? refused() : undefined;
      }),
    );
    expect(broken(hops)).toMatchObject([{ hop: "alertmanager" }]);
    expect(broken(hops)[0]?.detail).toContain("nobody is told of alerts");
    expect(broken(hops)[0]?.mend).toContain("/checkout/.vitrine/logs/alertmanager.log");
  });

  test("an Alertmanager that runs but cannot be asked through the gateway is the gateway's fault", async () => {
    const hops = await examine(
      system((url) => (url.pathname.startsWith("/alertmanager/") ? new Response("", { status: 502 }) : undefined)),
    );
    expect(broken(hops)).toMatchObject([{ hop: "gateway" }]);
  });

  test("a token that may not read is named where alerts are asked for", async () => {
    const hops = await examine(
      system((url) => (url.pathname.startsWith("/alertmanager/") ? new Response("", { status: 403 }) : undefined)),
    );
    expect(broken(hops)).toMatchObject([{ hop: "token", mend: "the token needs the scope telemetry:read" }]);
  });

  const hasNone: Answer = (url) =>
    url.pathname === "/alertmanager/api/v2/status" ? Response.json({ config: { original: "" } }) : undefined;
  const keepsAnOldOne: Answer = (url) => (asksReload(url) ? reloaded(0) : undefined);

  test.each([
    ["has none", hasNone, "no configuration"],
    ["keeps an old one", keepsAnOldOne, "could not load"],
  ])("an Alertmanager whose configuration is not loaded is named: it %s", async (_, answer, detail) => {
    const hops = await examine(system(answer));
    expect(broken(hops)).toMatchObject([{ hop: "alertmanager", detail: expect.stringContaining(detail) }]);
    expect(broken(hops)[0]?.mend).toContain("alertmanager.log");
  });

  test("an Alertmanager that was never scraped is well", async () => {
    const unseen: Answer = (url) => (asksReload(url) ? Response.json({ data: { result: [] } }) : undefined);
    expect(broken(await examine(system(unseen)))).toEqual([]);
  });

  test.each([
    ["knows no Alertmanager", () => Response.json({ data: { activeAlertmanagers: [] } }), "nobody is told"],
    ["does not say", () => new Response("<html>"), "does not say where"],
    ["does not answer", () => new Response("no", { status: 503 }), "503: no"],
  ])("a Prometheus that %s is named, with where that is set or said", async (_, answer, detail) => {
    const hops = await examine(
      system((url) => (url.pathname === "/prometheus/api/v1/alertmanagers" ? answer() : undefined)),
    );
    expect(broken(hops)).toMatchObject([{ hop: "prometheus", detail: expect.stringContaining(detail) }]);
    expect(broken(hops)[0]?.mend).toContain("/checkout/.vitrine/logs/prometheus.log");
  });
});
