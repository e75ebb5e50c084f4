import { annotations, dashboardLink, prometheus, sized } from "./common.ts";
import { engineMemory, engineProcessors } from "./engines.ts";
import type { Dashboard, Link, Variable } from "./model.ts";
import { prices } from "./prices.ts";

function price(name: string, title: string, value: number): Variable {
  return { kind: "text", name, title, default: String(value) };
}

const hoursOfMonth = 730;
const secondsOfMonth = hoursOfMonth * 3_600;
const gib = 2 ** 30;

const bytes = "sum by (client_id) (increase(gateway_ingest_size_bytes_total[$__range])) / $__range_s";
const series = "sum by (client_id) (client:series:count)";
const processors = "sum by (client_id) (increase(process_cpu_time_seconds_total[$__range])) / $__range_s";
const memory = "sum by (client_id) (process_memory_usage_bytes)";

const bytesCost = `${bytes} * ${secondsOfMonth} / ${gib} * $price_gib`;
const seriesCost = `${series} / 1000 * $price_series`;
const processorsCost = `${processors} * ${hoursOfMonth} * $price_processor`;
const memoryCost = `${memory} / ${gib} * ${hoursOfMonth} * $price_memory`;
/** A client that is no process of ours has no processors and no memory here. */
const clientCost = `(${bytesCost}) + on (client_id) (${seriesCost}) + on (client_id) ((${processorsCost}) or (${bytes}) * 0) + on (client_id) ((${memoryCost}) or (${bytes}) * 0)`;
const enginesCost = `sum(${engineProcessors}) * ${hoursOfMonth} * $price_processor + sum(${engineMemory}) / ${gib} * ${hoursOfMonth} * $price_memory`;

const clients: Link = dashboardLink("Telemetry clients", "vitrine-telemetry-clients", {
  client: "${label.client_id}",
});
const infrastructure: Link = dashboardLink("Infrastructure", "vitrine-infrastructure");

export const cost: Dashboard = {
  uid: "vitrine-cost",
  title: "Cost",
  description:
    "What a month like the range shown would cost, by service and client. The prices above can be changed; grafana/dashboards/prices.ts has the defaults.",
  topic: "platform",
  variables: [
    price("price_gib", "€ per GiB", prices.gib),
    price("price_series", "€ per 1000 series and month", prices.thousandSeries),
    price("price_processor", "€ per processor hour", prices.processorHour),
    price("price_memory", "€ per GiB hour of memory", prices.memoryGibHour),
  ],
  annotations,
  rows: [
    {
      title: "A month of this",
      panels: [
        {
          kind: "stat",
          title: "Services and clients",
          description: "Their telemetry, processors and memory.",
          ...sized("third", 6),
          unit: "currencyEUR",
          decimals: 2,
          queries: [prometheus("a month", `sum(${clientCost})`)],
          links: [infrastructure],
        },
        {
          kind: "stat",
          title: "Engines",
          description:
            "Processors and memory of the collector, Prometheus, Loki, Jaeger and Alertmanager: what observing costs beside storage.",
          ...sized("third", 6),
          unit: "currencyEUR",
          decimals: 2,
          queries: [prometheus("a month", enginesCost)],
          links: [infrastructure],
        },
        {
          kind: "stat",
          title: "Telemetry for a thousand requests",
          description:
            "Bytes taken in for every thousand requests answered: what grows when somebody adds a label or a line.",
          ...sized("third", 6),
          unit: "bytes",
          queries: [
            prometheus(
              "bytes",
              "1000 * sum(increase(gateway_ingest_size_bytes_total[$__range])) / sum(increase(http_server_request_duration_seconds_count[$__range]))",
            ),
          ],
          links: [dashboardLink("Telemetry clients", "vitrine-telemetry-clients")],
        },
      ],
    },
    {
      title: "Who causes it",
      panels: [
        {
          kind: "table",
          title: "By client",
          description: "Every service is a client of its own name. Sort by the last column.",
          ...sized("whole", 10),
          unit: "currencyEUR",
          decimals: 2,
          labels: [{ name: "client_id", title: "Client" }],
          queries: [
            prometheus("Telemetry", bytes, { unit: "Bps" }),
            prometheus("Series", series, { unit: "short" }),
            prometheus("Processors", `(${processors}) or (${bytes}) * 0`, { unit: "short" }),
            prometheus("Memory", `(${memory}) or (${bytes}) * 0`, { unit: "bytes" }),
            prometheus("€ a month", clientCost),
          ],
          links: [clients],
        },
        {
          kind: "bars",
          title: "Storage, by client",
          description: "Euros a month for what it sends: bytes taken in and series kept.",
          ...sized("third"),
          unit: "currencyEUR",
          decimals: 2,
          queries: [prometheus("{{client_id}}", `(${bytesCost}) + on (client_id) (${seriesCost})`)],
          links: [clients],
        },
        {
          kind: "bars",
          title: "Series, by metric",
          description:
            "The ten metrics of services and clients with the most series. The first place to look when series cost too much.",
          ...sized("third"),
          unit: "short",
          decimals: 0,
          queries: [prometheus("{{metric}}", "topk(10, metric:series:top20)")],
          links: [dashboardLink("Telemetry pipeline", "vitrine-telemetry-pipeline")],
        },
        {
          kind: "timeseries",
          title: "Bytes taken in",
          description: "Telemetry by client per second: a client that begins to send more is seen here first.",
          ...sized("third"),
          unit: "Bps",
          min: 0,
          stacked: true,
          queries: [
            prometheus("{{client_id}}", "sum by (client_id) (rate(gateway_ingest_size_bytes_total[$__rate_interval]))"),
          ],
          links: [clients],
        },
      ],
    },
  ],
};
