import { type Builder, type Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import { DataqueryBuilder as LokiBuilder } from "@grafana/grafana-foundation-sdk/loki";
import { DataqueryBuilder as PrometheusBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { isInstant, type JaegerQuery, type Panel, type Query } from "../model.ts";

export interface DataSourceRef {
  readonly type: Query["datasource"];
  readonly uid: string;
}

/** The uids are those of grafana/provisioning/datasources. */
export function sourceRef(datasource: Query["datasource"]): DataSourceRef {
  return { type: datasource, uid: datasource };
}

/** `A`, `B`, … as Grafana names queries and the columns made of them. */
export function refId(index: number): string {
  return String.fromCodePoint("A".charCodeAt(0) + index);
}

export function toTarget(query: Query, index: number, panel: Panel): Builder<Dataquery> {
  switch (query.datasource) {
    case "prometheus":
      return prometheusTarget(query, index, panel);
    case "loki": {
      const builder = new LokiBuilder()
        .datasource(sourceRef("loki"))
        .refId(refId(index))
        .expr(query.expr)
        .queryType(isInstant(panel) ? "instant" : "range");
      return query.legend === "" ? builder : builder.legendFormat(query.legend);
    }
    case "jaeger": {
      const target = { refId: refId(index), datasource: sourceRef("jaeger"), ...jaegerTarget(query, (text) => text) };
      // The SDK has no builder for this data source. JSON leaves the function out.
      return { build: () => ({ ...target, _implementsDataqueryVariant: () => undefined }) };
    }
    default:
      return query satisfies never;
  }
}

/** A search as the Jaeger data source writes it: tags in logfmt. */
export function jaegerTarget(
  { service, tags, minDuration }: JaegerQuery,
  write: (text: string) => string,
): Readonly<Record<string, unknown>> {
  const pairs = Object.entries(tags).map(([name, value]) => `${name}="${write(value)}"`);
  return {
    queryType: "search",
    service: write(service),
    tags: pairs.join(" "),
    limit: 20,
    ...(minDuration === undefined ? {} : { minDuration }),
  };
}

function prometheusTarget(
  query: Extract<Query, { datasource: "prometheus" }>,
  index: number,
  panel: Panel,
): PrometheusBuilder {
  const builder = new PrometheusBuilder()
    .datasource(sourceRef("prometheus"))
    .refId(refId(index))
    .expr(panel.kind === "graph" ? asEdges(query.expr) : query.expr)
    .legendFormat(panel.kind === "heatmap" ? "{{le}}" : query.legend);
  if (panel.kind === "heatmap") builder.format(PromQueryFormat.Heatmap);
  if (panel.kind === "table" || panel.kind === "graph") builder.format(PromQueryFormat.Table);
  if (query.exemplars === true) builder.exemplar(true);
  return isInstant(panel) ? builder.instant() : builder.range();
}

/** The node graph wants the fields id, source and target. */
function asEdges(expr: string): string {
  const named = `label_replace(label_replace(${expr}, "source", "$1", "client", "(.+)"), "target", "$1", "server", "(.+)")`;
  return `sum by (id, source, target) (label_join(${named}, "id", " > ", "client", "server"))`;
}
