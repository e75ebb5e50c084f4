import { type Answer, call } from "./call.ts";
import { engineOf, type ExamineOptions, type Hop } from "./hop.ts";
import type { ProbeSignal } from "./probe.ts";

/** Why the door did not take a probe. */
export async function refusedAtDoor(
  options: ExamineOptions,
  signal: ProbeSignal,
  sent: Answer,
  ms: number,
): Promise<Hop> {
  const { advice } = options;
  const told = `POST /v1/${signal} answered ${sent.status ?? "nothing"}: ${sent.text.slice(0, 200)}`;
  switch (sent.status) {
    case undefined:
      return {
        hop: "gateway",
        signal,
        ok: false,
        detail: `nothing answers at ${options.addresses.otlp} (${sent.text})`,
        mend: `the gateway's OTLP port is shut: ${advice.read("gateway")}`,
        ms,
      };
    case 401: {
      const expired = sent.text.includes("expired");
      return {
        hop: expired ? "clock" : "token",
        signal,
        ok: false,
        detail: expired ? `the gateway says the token has expired. ${told}` : `the gateway refuses the token. ${told}`,
        mend: expired
          ? `${advice.newToken}; if this one is new, the clocks of auth and gateway differ: set them by NTP`
          : advice.newToken,
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
      const mend = `${advice.isThere}? Otherwise ${advice.read("collector")}`;
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
        mend: `${advice.read("collector")}: memory limit, a full queue or a full disk`,
        ms,
      };
    }
  }
}

/** Why a probe that was taken is not shown. */
export async function explainMissing(
  options: ExamineOptions,
  signal: ProbeSignal,
  last: Answer,
  ms: number,
): Promise<Hop> {
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
      mend: `${options.advice.isThere}? Otherwise ${options.advice.read(engine)}`,
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
    mend: `${options.advice.read("collector")} and ${options.advice.read(engine)}`,
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
