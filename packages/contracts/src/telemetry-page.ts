import { attributeBounds, edges, foreignMetrics, maxSeriesOf, prometheusNames, signals, sources } from "./signals.ts";
import { attributes, type AttributeValues, logActions, type MetricDefinition, metrics } from "./telemetry.ts";

/** docs/telemetry.md: the contract for people. Made by `bun run docs:telemetry`; a test makes it again and compares. */
export function renderTelemetryPage(): string {
  return `${[...introduction(), ...metricSections(), ...logSection(), ...surroundings()].join("\n\n")}\n`;
}

function introduction(): readonly string[] {
  return [
    "# The telemetry contract",
    "<!-- Made from packages/contracts/src/telemetry.ts and signals.ts by `bun run docs:telemetry`. -->",
    lines(
      "Every metric, log action and span attribute that Vitrine emits under a name of its own, or relies on by name. A test",
      "compares this with the running system: what is emitted and not listed fails, and so does what is listed and never",
      "arrives.",
    ),
    "## Who sends what",
    table(
      ["source", ...signals],
      Object.entries(sources).map(([source, sent]) =>
        [code(source)].concat(signals.map((signal) => (sent.includes(signal) ? "yes" : ""))),
      ),
    ),
    "## Who calls whom",
    table(
      ["client", "server"],
      edges.map((edge) => edge.map(code)),
    ),
  ];
}

function metricSections(): readonly string[] {
  const definitions: readonly MetricDefinition[] = Object.values(metrics);
  return [
    "## Metrics",
    lines(
      "The last column is how many series one process makes of a metric at most, a histogram counted once. Resource",
      "attributes are labels too: `service_name`, `service_version`, `client_id`, `deployment_environment_name`, `job`,",
      "`instance`.",
    ),
    ...definitions.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(metricSection),
    "## Bounds of open attributes",
    lines("Attributes without a list of values, how many each takes in one process, and what keeps it so."),
    table(
      ["attribute", "values", "because"],
      Object.entries(attributeBounds).map(([key, { values, because }]) => [code(key), String(values), because]),
    ),
    "## Metrics of others",
    table(
      ["names begin with", "by", "`service.name`", "what"],
      foreignMetrics.map(({ prefix, by, sources: from, description }) => [
        code(prefix),
        by,
        from.join(", "),
        description,
      ]),
    ),
  ];
}

function metricSection(definition: MetricDefinition): string {
  const { name, kind, unit, description, services, attributes: own } = definition;
  const rows = Object.entries(own).map(([key, values]) => [code(key), valuesOf(values)]);
  return [
    `### ${code(name)}`,
    description,
    table(
      ["kind", "unit", "in Prometheus", "from", "series"],
      [
        [
          kind.replaceAll("_", " "),
          code(unit),
          prometheusNames(definition).map(code).join(", "),
          fromOf(services),
          String(maxSeriesOf(definition)),
        ],
      ],
    ),
    ...(rows.length === 0 ? [] : [table(["attribute", "values"], rows)]),
  ].join("\n\n");
}

function logSection(): readonly string[] {
  return [
    "## Log actions",
    lines(
      'Every log line carries one of these as `action`. In Loki: `{service_name="orders"} | action="order.placed"`.',
    ),
    table(
      ["action", "when", "from"],
      Object.entries(logActions).map(([name, { description, services }]) => [
        code(name),
        description,
        fromOf(services),
      ]),
    ),
  ];
}

function surroundings(): readonly string[] {
  return [
    "## Attributes of spans and log records",
    lines("Beside those of the OpenTelemetry semantic conventions:"),
    table(
      ["attribute", "in Loki"],
      Object.values(attributes).map((name) => [code(name), code(name.replaceAll(".", "_"))]),
    ),
  ];
}

function fromOf(services: readonly string[] | "all"): string {
  return services === "all" ? "every service" : services.map(code).join(", ");
}

function valuesOf(values: AttributeValues): string {
  return typeof values === "string" ? "bounded" : values.map(code).join(", ");
}

function code(text: string): string {
  return `\`${text}\``;
}

function lines(...text: readonly string[]): string {
  return text.join("\n");
}

/** Columns as wide as their widest cell, as the formatter of this repository writes them. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) =>
    Math.max(3, name.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
