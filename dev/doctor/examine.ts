import { createProbe, holdsProbe, type Probe, probeQuery, type ProbeSignal, probeSignals } from "./probe.ts";

/** The places telemetry passes, in order. */
export type HopName = "gateway" | "auth" | "clock" | "token" | "collector" | "prometheus" | "loki" | "jaeger";

export interface Hop {
  readonly hop: HopName;
  readonly signal?: ProbeSignal;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; only when not `ok`. */
  readonly mend?: string;
  readonly ms: number;
}

export interface Addresses {
  /** The gateway's main port and its OTLP port. */
  readonly gateway: string;
  readonly otlp: string;
  /** Health and own metrics of the collector, and the engines, past the gateway: only to tell which hop is broken. */
  readonly collectorHealth: string;
  readonly collectorMetrics: string;
  readonly prometheusReady: string;
  readonly lokiReady: string;
  readonly jaegerReady: string;
}

export interface ExamineOptions {
  readonly addresses: Addresses;
  /** A token that may write and read telemetry; throws with what the token endpoint said. */
  readonly token: () => Promise<string>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** How long a probe may take to be found, in milliseconds. */
  readonly deadlineMs: number;
}

const engineOf = { logs: "loki", metrics: "prometheus", traces: "jaeger" } as const satisfies Record<
  ProbeSignal,
  HopName
>;
const maxSkewMs = 30_000;
/** Longer than the gateway waits for the collector: its answer tells a hung collector from a hung gateway. */
const callTimeoutMs = 12_000;

/** Sends one marked log, metric and span through the gateway and follows them; stops at the first broken hop of each. */
export async function examine(options: ExamineOptions): Promise<readonly Hop[]> {
  const door = await checkDoor(options);
  if (!door.every((hop) => hop.ok)) return door;
  const [token, tokenHop] = await checkToken(options);
  if (token === undefined) return [...door, tokenHop];
  const probe = createProbe(options.now());
  const routes = await Promise.all(probeSignals.map((signal) => follow(options, probe, signal, token)));
  return [...door, tokenHop, ...routes.flat()];
}

async function checkDoor(options: ExamineOptions): Promise<readonly Hop[]> {
  const startedAt = options.now();
  const answer = await call(options, `${options.addresses.gateway}/health/live`);
  const ms = options.now() - startedAt;
  if (answer.status === undefined) {
    const detail = `nothing answers at ${options.addresses.gateway} (${answer.text})`;
    return [
      {
        hop: "gateway",
        ok: false,
        detail,
        mend: "start it with `bun run dev`; if it runs, read .vitrine/logs/gateway.log",
        ms,
      },
    ];
  }
  const hop: Hop = {
    hop: "gateway",
    ok: answer.status === 200,
    detail: `answers ${answer.status} at ${options.addresses.gateway}`,
    ms,
  };
  const skew = answer.date === undefined ? 0 : Math.abs(options.now() - answer.date);
  // `Date` has whole seconds, so half a minute is far above what it can mislead by.
  if (skew > maxSkewMs) {
    const detail = `this clock and the gateway's differ by ${Math.round(skew / 1_000)} s; tokens expire after 15 minutes and allow 5 s`;
    return [hop, { hop: "clock", ok: false, detail, mend: "set both clocks by NTP, then run doctor again", ms: 0 }];
  }
  return [hop.ok ? hop : { ...hop, mend: "read .vitrine/logs/gateway.log" }];
}

async function checkToken(options: ExamineOptions): Promise<readonly [string | undefined, Hop]> {
  const startedAt = options.now();
  try {
    const token = await options.token();
    return [token, { hop: "auth", ok: true, detail: "issued a token", ms: options.now() - startedAt }];
  } catch (error) {
    const detail = `no token could be had: ${error instanceof Error ? error.message : String(error)}`;
    const mend =
      "see .vitrine/logs/auth.log; `bun run dev --reset` makes new secrets when those under .vitrine/secrets are lost";
    return [undefined, { hop: "auth", ok: false, detail, mend, ms: options.now() - startedAt }];
  }
}

async function follow(
  options: ExamineOptions,
  probe: Probe,
  signal: ProbeSignal,
  token: string,
): Promise<readonly Hop[]> {
  const startedAt = options.now();
  const sent = await call(options, `${options.addresses.otlp}/v1/${signal}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: probe.payloads[signal],
  });
  const ms = options.now() - startedAt;
  if (sent.status !== 200) return [await refusedAtDoor(options, signal, sent, ms)];
  const taken: Hop = { hop: "collector", signal, ok: true, detail: "took the probe from the gateway", ms };
  return [taken, await findProbe(options, probe, signal, token)];
}

async function refusedAtDoor(options: ExamineOptions, signal: ProbeSignal, sent: Answer, ms: number): Promise<Hop> {
  const told = `POST /v1/${signal} answered ${sent.status ?? "nothing"}: ${sent.text.slice(0, 200)}`;
  switch (sent.status) {
    case undefined:
      return {
        hop: "gateway",
        signal,
        ok: false,
        detail: `nothing answers at ${options.addresses.otlp} (${sent.text})`,
        mend: "the gateway's OTLP port is shut: read .vitrine/logs/gateway.log",
        ms,
      };
    case 401: {
      const expired = sent.text.includes("expired");
      return {
        hop: expired ? "clock" : "token",
        signal,
        ok: false,
        detail: expired
          ? `the gateway holds a fresh token for expired: its clock and the issuer's differ. ${told}`
          : `the gateway refuses the token. ${told}`,
        mend: expired
          ? "set the clocks of auth and gateway by NTP"
          : "use a token of this system's auth service: `bun run token`",
        ms,
      };
    }
    case 403:
      return {
        hop: "token",
        signal,
        ok: false,
        detail: `the token may not write ${signal}. ${told}`,
        mend: `ask for one with the scope telemetry:write or ${signal}:write`,
        ms,
      };
    default: {
      const health = await call(options, options.addresses.collectorHealth);
      const mend = "is it still building (`bun run engines list`)? Otherwise read .vitrine/logs/collector.log";
      if (health.status !== 200)
        return {
          hop: "collector",
          signal,
          ok: false,
          detail: `the collector does not answer at ${options.addresses.collectorHealth}. ${told}`,
          mend,
          ms,
        };
      return {
        hop: "collector",
        signal,
        ok: false,
        detail: `the collector is up but does not take data. ${told}`,
        mend: "read .vitrine/logs/collector.log: memory limit or a full queue",
        ms,
      };
    }
  }
}

async function findProbe(options: ExamineOptions, probe: Probe, signal: ProbeSignal, token: string): Promise<Hop> {
  const engine = engineOf[signal];
  const startedAt = options.now();
  let last: Answer = { status: undefined, text: "", date: undefined };
  while (options.now() - startedAt < options.deadlineMs) {
    last = await call(options, options.addresses.gateway + probeQuery(probe, signal, options.now()), {
      headers: { authorization: `Bearer ${token}` },
    });
    const ms = options.now() - startedAt;
    if (last.status === 200 && holdsProbe(probe, signal, last.text))
      return { hop: engine, signal, ok: true, detail: `shows the probe after ${ms} ms`, ms };
    await options.sleep(100);
  }
  return await explainMissing(options, signal, last, options.now() - startedAt);
}

async function explainMissing(options: ExamineOptions, signal: ProbeSignal, last: Answer, ms: number): Promise<Hop> {
  const engine = engineOf[signal];
  const ready = {
    loki: options.addresses.lokiReady,
    prometheus: options.addresses.prometheusReady,
    jaeger: options.addresses.jaegerReady,
  }[engine];
  const health = await call(options, ready);
  if (health.status === undefined || health.status >= 500) {
    const detail = `${engine} does not answer at ${ready} (${health.status ?? health.text}); the collector keeps the data on disk until it is back`;
    return {
      hop: engine,
      signal,
      ok: false,
      detail,
      mend: `is it still building (\`bun run engines list\`)? Otherwise read .vitrine/logs/${engine}.log`,
      ms,
    };
  }
  if (last.status !== 200) {
    const detail = `${engine} is up but the query through the gateway answered ${last.status ?? last.text}: ${last.text.slice(0, 200)}`;
    return {
      hop: last.status === 401 || last.status === 403 ? "token" : "gateway",
      signal,
      ok: false,
      detail,
      mend: "the token needs the scope telemetry:read",
      ms,
    };
  }
  const queue = await exporterState(options, engine);
  return {
    hop: engine,
    signal,
    ok: false,
    detail: `${engine} answers but does not show the probe after ${ms} ms. ${queue}`,
    mend: `read .vitrine/logs/collector.log and .vitrine/logs/${engine}.log`,
    ms,
  };
}

/** What the collector says of the exporter that feeds an engine: batches waiting and batches that failed. */
async function exporterState(options: ExamineOptions, engine: string): Promise<string> {
  const { status, text } = await call(options, options.addresses.collectorMetrics);
  if (status !== 200) return "The collector's own metrics cannot be read.";
  const lines = text
    .split("\n")
    .filter((line) => /^otelcol_exporter_(queue_size|send_failed)/.test(line) && line.includes(engine));
  return lines.length === 0
    ? "The collector has nothing waiting for it."
    : `The collector says: ${lines.map((line) => line.replace(/\{[^}]*\}/, "")).join("; ")}.`;
}

interface Answer {
  /** `undefined` when nothing answered; `text` then says why. */
  readonly status: number | undefined;
  readonly text: string;
  /** The server's `Date`, as milliseconds since the epoch. */
  readonly date: number | undefined;
}

async function call(options: ExamineOptions, url: string, init: RequestInit = {}): Promise<Answer> {
  try {
    const response = await options.fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(callTimeoutMs),
    });
    const date = Date.parse(response.headers.get("date") ?? "");
    return { status: response.status, text: await response.text(), date: Number.isNaN(date) ? undefined : date };
  } catch (error) {
    return { status: undefined, text: error instanceof Error ? error.message : "unknown error", date: undefined };
  }
}
