import { join } from "node:path";
import { prometheusNames } from "@vitrine/contracts/signals";
import { metrics, type MetricDefinition } from "@vitrine/contracts/telemetry";

/** One line of the exposition format without its value, and what a counter adds to it in a second. */
interface FakeSeries {
  readonly text: string;
  readonly perSecond: number;
  readonly isCounter: boolean;
}

const services = ["auth", "console", "gateway", "generator", "inventory", "notifier", "orders"];
/** Combinations of attributes that one process has of one metric: about what the busiest have. */
const maxCombinations = 60;
const boundedValues = 40;
const statuses = ["200", "201", "204", "400", "401", "404", "409", "500", "503"];

const durations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the collector makes of spans is a part of every store that counts. */
const spanDuration: MetricDefinition = {
  name: "traces.span.metrics.duration",
  kind: "histogram",
  unit: "s",
  description: "",
  attributes: { "http.route": "bounded", "http.response.status_code": "bounded" },
  services: "all",
  buckets: durations,
};

/** At least `count` series under the names of the contract, of as many processes of each service as that takes. */
export function fakeSeries(count: number): readonly FakeSeries[] {
  const series: FakeSeries[] = [];
  for (let process = 0; series.length < count; process++)
    for (const service of services)
      for (const definition of [...Object.values<MetricDefinition>(metrics), spanDuration])
        if (definition.services === "all" || definition.services.includes(service))
          series.push(...seriesOf(definition, service, `${service}-${process}`));
  return series;
}

function seriesOf(definition: MetricDefinition, service: string, instance: string): readonly FakeSeries[] {
  const { kind, attributes } = definition;
  const process = `service_name="${service}",job="${service}",instance="${instance}"`;
  const own = "client.id" in attributes ? process : `${process},client_id="${service}"`;
  const isCounter = kind === "counter" || kind === "histogram";
  const bounds = [...(definition.buckets ?? durations).map(String), "+Inf"];
  const made: FakeSeries[] = [];
  for (const [index, labels] of combinationsOf(definition).entries()) {
    const all = [own, labels].filter((part) => part !== "").join(",");
    const perSecond = 1 + (index % 7);
    for (const name of prometheusNames(definition))
      for (const text of name.endsWith("_bucket")
        ? bounds.map((le) => `${name}{${all},le="${le}"}`)
        : [`${name}{${all}}`])
        made.push({ text, perSecond, isCounter });
  }
  return made;
}

/** Some of all combinations of attributes, evenly chosen, none twice. */
function combinationsOf({ attributes }: MetricDefinition): readonly string[] {
  const lists = Object.entries(attributes).map(
    ([key, values]) => [key.replaceAll(".", "_"), valuesOf(key, values)] as const,
  );
  const product = lists.reduce((all, [, values]) => all * values.length, 1);
  const count = Math.min(product, maxCombinations);
  return Array.from({ length: count }, (_, index) => {
    let rest = Math.floor((index * product) / count);
    return lists
      .map(([key, values]) => {
        const value = values[rest % values.length];
        rest = Math.floor(rest / values.length);
        return `${key}="${value}"`;
      })
      .join(",");
  });
}

function valuesOf(key: string, values: readonly string[] | "bounded"): readonly string[] {
  if (typeof values !== "string") return values;
  if (key === "http.response.status_code") return statuses;
  return Array.from({ length: boundedValues }, (_, index) => `${key === "http.route" ? "/api/" : ""}value${index}`);
}

/** The store as a target shows it at a moment, in seconds. */
export function exposition(series: readonly FakeSeries[], seconds: number): string {
  const lines = series.map(
    ({ text, perSecond, isCounter }) => `${text} ${isCounter ? perSecond * seconds : perSecond}`,
  );
  return `${lines.join("\n")}\n`;
}

export interface History {
  readonly days: number;
  readonly stepSeconds: number;
  /** End of it, in seconds since the epoch. */
  readonly until: number;
}

/** Writes an OpenMetrics file of the past of every series, from which promtool makes blocks. */
export async function writeHistory(
  series: readonly FakeSeries[],
  history: History,
  directory: string,
): Promise<string> {
  const path = join(directory, "history.txt");
  const writer = Bun.file(path).writer({ highWaterMark: 4 * 1_024 * 1_024 });
  const from = history.until - history.days * 86_400;
  // A series is told whole before the next one; its type is left unknown, as promtool does not ask.
  for (const { text, perSecond, isCounter } of series) {
    const samples: string[] = [];
    for (let seconds = from; seconds < history.until; seconds += history.stepSeconds)
      samples.push(`${text} ${isCounter ? perSecond * seconds : perSecond} ${seconds}`);
    await writer.write(`${samples.join("\n")}\n`);
  }
  await writer.write("# EOF\n");
  await writer.end();
  return path;
}
