import { z } from "zod";
import type { Answer } from "../engines/ask.ts";
import { toMs } from "../engines/loki.ts";
import type { PageContext } from "../page-context.ts";
import { bytes, count, Data, duration } from "../views/format.tsx";
import { drawn, drawnReason } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { State, type StateKind } from "../views/state.tsx";
import { refusedName } from "./senders.tsx";

interface Hop {
  readonly name: string;
  readonly does: string;
  readonly state: readonly [StateKind, string];
}

const minuteMs = 60_000;
/** What is newer than this is there at once. */
const freshMs = 90_000;

/** The way of telemetry from a service to the page: each hop by what has come through it, seen from its end. */
export async function hopsPanel({ engines, ask, deps }: PageContext) {
  const now = deps.now();
  const [gateway, collector, metrics, lines, traces, watchdog, notifier] = await Promise.all([
    engines.prometheus.instant("sum(rate(gateway_ingest_requests_total[2m]))"),
    engines.prometheus.instant(
      'sum(rate(otelcol_receiver_accepted_log_records{receiver="otlp"}[2m])) + sum(rate(otelcol_receiver_accepted_spans{receiver="otlp"}[2m])) + sum(rate(otelcol_receiver_accepted_metric_points{receiver="otlp"}[2m]))',
    ),
    engines.prometheus.instant("time() - max(timestamp(app_up))"),
    engines.loki.lines('{service_name=~".+"}', { fromMs: now - 5 * minuteMs, toMs: now, limit: 1 }),
    engines.jaeger.find({ service: "gateway", fromMs: now - 5 * minuteMs, toMs: now, limit: 1 }),
    engines.prometheus.instant('ALERTS{alertname="Watchdog", alertstate="firing"}'),
    ask({
      source: "notifier",
      path: "/api/notifier/alerts",
      query: { name: "Watchdog", limit: "1" },
      answer: z.object({ items: z.array(z.object({ lastReceivedAt: z.string() })) }),
    }),
  ]);
  const hops: readonly Hop[] = [
    { name: "Gateway", does: "takes telemetry from who may send it", state: rate(gateway, "requests a second") },
    { name: "Collector", does: "stamps, cleans and hands it on", state: rate(collector, "records a second") },
    {
      name: "Prometheus",
      does: "keeps metrics and evaluates rules",
      state: age(metrics, ([sample]) => (sample === undefined ? undefined : sample.value * 1_000)),
    },
    {
      name: "Loki",
      does: "keeps log lines",
      state: age(lines, ([line]) => (line === undefined ? undefined : now - toMs(line.timeNs))),
    },
    {
      name: "Jaeger",
      does: "keeps traces",
      state: age(traces, ([trace]) => {
        const started = trace?.spans[0]?.startUs;
        return started === undefined ? undefined : now - started / 1_000;
      }),
    },
    {
      name: "Alert rules",
      does: "the watchdog fires always: silence would be the alarm",
      state: told(watchdog, (samples) => (samples.length > 0 ? ["good", "firing"] : ["bad", "the watchdog is silent"])),
    },
    {
      name: "Notifier",
      does: "was told of the watchdog by Alertmanager",
      state: told(notifier, ({ items: [watch] }) =>
        watch === undefined
          ? ["warn", "never told"]
          : ["good", `told ${duration(now - Date.parse(watch.lastReceivedAt))} ago`],
      ),
    },
  ];
  return (
    <Panel title="From a service to this page">
      <ol class="rows">
        {hops.map(({ name, does, state: [kind, words] }) => (
          <li>
            <span class="name">{name}</span>
            <small>{does}</small>
            <span class="end">
              <State kind={kind}>{words}</State>
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function told<T>(answer: Answer<T>, tell: (value: T) => readonly [StateKind, string]): readonly [StateKind, string] {
  return answer.ok ? tell(answer.value) : ["bad", drawnReason(answer.missing)];
}

function rate(answer: Answer<readonly { readonly value: number }[]>, what: string): readonly [StateKind, string] {
  return told(answer, ([sample]) =>
    sample === undefined || sample.value === 0
      ? ["bad", "nothing comes through"]
      : ["good", `${count(sample.value)} ${what}`],
  );
}

function age<T>(answer: Answer<T>, ageOf: (value: T) => number | undefined): readonly [StateKind, string] {
  return told(answer, (value) => {
    const ms = ageOf(value);
    if (ms === undefined) return ["bad", "nothing in five minutes"];
    return [ms <= freshMs ? "good" : "warn", `newest ${duration(Math.max(ms, 0))} old`];
  });
}

const units = ["log_records", "spans", "metric_points"] as const;

const atTheDoor = "refused at the door";

const losses: readonly (readonly [what: string, metric: string, by: string])[] = [
  [atTheDoor, "gateway_refusals_total", "client_id"],
  ...units.map((unit) => ["refused by the collector", `otelcol_receiver_refused_${unit}`, "receiver"] as const),
  ...units.map((unit) => ["not taken by an engine", `otelcol_exporter_send_failed_${unit}`, "exporter"] as const),
  ["given up by a service", "telemetry_export_dropped_bytes_total", "service_name"],
  ["discarded by Loki", "loki_discarded_samples_total", "reason"],
];

const lossQuestion = losses
  .map(
    ([what, metric, by]) =>
      `label_replace(label_replace(sum by (${by}) (increase(${metric}[15m])) > 0, "where", "$1", "${by}", "(.+)"), "what", "${what}", "", "")`,
  )
  .join(" or ");

const maxLosses = 40;

/** What did not get through in the last quarter of an hour. */
export async function lossesPanel({ engines }: PageContext) {
  const answer = await engines.prometheus.instant(lossQuestion);
  return (
    <Panel title="Lost or refused" aside={<small>15 minutes</small>}>
      {drawn(answer, (samples) =>
        samples.length === 0 ? (
          <Empty>Nothing.</Empty>
        ) : (
          <ul class="rows">
            {samples
              .toSorted((a, b) => b.value - a.value)
              .slice(0, maxLosses)
              .map(({ labels, value }) => (
                <li>
                  <span class="name">
                    <Data text={labels["what"] ?? ""} max={80} />
                  </span>
                  <small>
                    <Data
                      text={labels["what"] === atTheDoor ? refusedName(labels["where"]) : (labels["where"] ?? "")}
                      max={80}
                    />
                  </small>
                  <span class="end number">{count(Math.round(value))}</span>
                </li>
              ))}
          </ul>
        ),
      )}
    </Panel>
  );
}

/** What waits between the hops. */
export async function queuesPanel({ engines }: PageContext) {
  const answer = await engines.prometheus.instant(
    'label_replace(sum by (exporter) (otelcol_exporter_queue_size), "where", "$1", "exporter", "(.+)") or label_replace(sum by (service_name) (telemetry_export_pending_bytes) > 0, "where", "$1", "service_name", "(.+)")',
  );
  return (
    <Panel title="Waiting" aside={<a href="/dashboards/vitrine-telemetry-pipeline">over time</a>}>
      {drawn(answer, (samples) =>
        samples.length === 0 ? (
          <Empty>Nothing.</Empty>
        ) : (
          <ul class="rows">
            {samples.slice(0, maxLosses).map(({ labels, value }) => (
              <li>
                <span class="name">
                  <Data text={labels["where"] ?? ""} max={80} />
                </span>
                <span class="end number">
                  {labels["service_name"] !== undefined
                    ? bytes(value)
                    : `${count(value)} ${value === 1 ? "batch" : "batches"}`}
                </span>
              </li>
            ))}
          </ul>
        ),
      )}
    </Panel>
  );
}
