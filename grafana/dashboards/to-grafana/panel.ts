import { PanelBuilder as BarsBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import {
  BarGaugeDisplayMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphGradientMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  LogsDedupStrategy,
  LogsSortOrder,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import { FieldColorBuilder, FieldColorModeId, MappingType } from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as HeatmapBuilder, YAxisConfigBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { PanelBuilder as LogsBuilder } from "@grafana/grafana-foundation-sdk/logs";
import { EdgeOptionsBuilder, PanelBuilder as GraphBuilder } from "@grafana/grafana-foundation-sdk/nodegraph";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import type {
  BarsPanel,
  GraphPanel,
  HeatmapPanel,
  LogsPanel,
  Panel,
  StatPanel,
  TablePanel,
  TimeseriesPanel,
  TracesPanel,
} from "../model.ts";
import { type AnyBuilder, colorOf, headed, valued } from "./frame.ts";
import type { LinkContext } from "./link.ts";
import { refId } from "./query.ts";

export function toGrafanaPanel(panel: Panel, context: LinkContext): AnyBuilder {
  switch (panel.kind) {
    case "timeseries":
      return timeseries(panel, context);
    case "stat":
      return stat(panel, context);
    case "bars":
      return bars(panel, context);
    case "heatmap":
      return heatmap(panel, context);
    case "table":
      return table(panel, context);
    case "logs":
      return logs(panel, context);
    case "traces":
      return traces(panel, context);
    case "graph":
      return graph(panel, context);
    default:
      return panel satisfies never;
  }
}

function timeseries(panel: TimeseriesPanel, context: LinkContext): TimeseriesBuilder {
  const builder = valued(new TimeseriesBuilder(), panel, context)
    .lineWidth(1)
    .fillOpacity(panel.stacked === true ? 40 : 8)
    .gradientMode(GraphGradientMode.Opacity)
    .showPoints(VisibilityMode.Never)
    // As long as a series may pause without having ended.
    .spanNulls(60_000)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (panel.stacked === true) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  if (panel.thresholds !== undefined)
    builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  return builder;
}

function lastValue(): ReduceDataOptionsBuilder {
  return new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false);
}

function byThresholds(): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
}

function stat(panel: StatPanel, context: LinkContext): StatBuilder {
  const builder = valued(new StatBuilder(), panel, context)
    .reduceOptions(lastValue())
    .colorMode(
      panel.thresholds === undefined && panel.words === undefined ? BigValueColorMode.None : BigValueColorMode.Value,
    )
    .graphMode(panel.trend === true ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .textMode(BigValueTextMode.Auto)
    .colorScheme(byThresholds());
  if (panel.words === undefined) return builder;
  const options = Object.entries(panel.words).map(
    ([value, { text, state }], index) => [value, { text, color: colorOf[state], index }] as const,
  );
  return builder.mappings([{ type: MappingType.ValueToText, options: Object.fromEntries(options) }]);
}

function bars(panel: BarsPanel, context: LinkContext): BarsBuilder {
  return valued(new BarsBuilder(), panel, context)
    .reduceOptions(lastValue())
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .colorScheme(
      panel.thresholds === undefined ? new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic) : byThresholds(),
    );
}

function heatmap(panel: HeatmapPanel, context: LinkContext): HeatmapBuilder {
  return valued(new HeatmapBuilder(), panel, context)
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(panel.unit))
    .hideLegend();
}

/** One frame for each query, joined by the labels they share; then nothing but the columns that were asked for. */
function table(panel: TablePanel, context: LinkContext): TableBuilder {
  const columns = [
    ...panel.labels.map(({ name, title }) => ({ field: name, title, unit: undefined })),
    ...panel.queries.map(({ legend, unit }, index) => ({
      field: panel.queries.length > 1 ? `Value #${refId(index)}` : "Value",
      title: legend,
      unit: unit ?? panel.unit,
    })),
  ];
  const builder = valued(new TableBuilder(), panel, context)
    .filterable(true)
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({
      id: "filterFieldsByName",
      options: { include: { names: columns.map(({ field }) => field) } },
    })
    .withTransformation({
      id: "organize",
      options: {
        indexByName: Object.fromEntries(columns.map(({ field }, index) => [field, index])),
        renameByName: Object.fromEntries(columns.map(({ field, title }) => [field, title])),
      },
    });
  for (const { title, unit } of columns)
    if (unit !== undefined) builder.overrideByName(title, [{ id: "unit", value: unit }]);
  return builder;
}

function logs(panel: LogsPanel, context: LinkContext): LogsBuilder {
  return headed(new LogsBuilder(), panel, context)
    .showTime(true)
    .wrapLogMessage(true)
    .enableLogDetails(true)
    .sortOrder(LogsSortOrder.Descending)
    .dedupStrategy(LogsDedupStrategy.None);
}

function traces(panel: TracesPanel, context: LinkContext): TableBuilder {
  return headed(new TableBuilder(), panel, context).unit("string");
}

function graph(panel: GraphPanel, context: LinkContext): GraphBuilder {
  return headed(new GraphBuilder(), panel, context)
    .edges(new EdgeOptionsBuilder().mainStatUnit(panel.unit).secondaryStatUnit("percentunit"))
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: { Time: true },
        renameByName: { [`Value #${refId(0)}`]: "mainstat", [`Value #${refId(1)}`]: "secondarystat" },
      },
    });
}
