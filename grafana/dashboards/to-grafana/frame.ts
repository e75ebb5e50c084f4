import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  type DashboardLink,
  type DynamicConfigValue,
  type FieldColorBuilder,
  type Panel as GrafanaPanel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { GraphPanel, LogsPanel, Panel, State, Thresholds, TracesPanel, ValuePanel } from "../model.ts";
import { type LinkContext, namesLabels, toDataLink, toHeaderLink } from "./link.ts";
import { refId, sourceRef, toTarget } from "./query.ts";

/** What the builders of all kinds of panels have in common. */
export interface AnyBuilder extends Builder<GrafanaPanel> {
  id(id: number): this;
  title(title: string): this;
  description(description: string): this;
  height(lines: number): this;
  span(columns: number): this;
  datasource(ref: { type?: string; uid?: string }): this;
  withTarget(target: ReturnType<typeof toTarget>): this;
  links(links: Builder<DashboardLink>[]): this;
  unit(unit: string): this;
  decimals(decimals: number): this;
  min(min: number): this;
  max(max: number): this;
  thresholds(thresholds: ThresholdsConfigBuilder): this;
  colorScheme(color: FieldColorBuilder): this;
  dataLinks(links: Builder<DashboardLink>[]): this;
  overrideByQuery(ref: string, properties: DynamicConfigValue[]): this;
}

export const colorOf: Readonly<Record<State, string>> = { good: "green", warning: "orange", critical: "red" };

function framed<B extends AnyBuilder>(builder: B, panel: Panel): B {
  const [first] = panel.queries;
  builder.title(panel.title).description(panel.description).height(panel.height).span(panel.width);
  if (first !== undefined) builder.datasource(sourceRef(first.datasource));
  for (const [index, query] of panel.queries.entries()) builder.withTarget(toTarget(query, index, panel));
  return builder;
}

/** What every panel of values has: queries, unit, limits, thresholds, links on the values. */
export function valued<B extends AnyBuilder>(builder: B, panel: ValuePanel, context: LinkContext): B {
  framed(builder, panel)
    .unit(panel.unit)
    .dataLinks(panel.links.map((link) => toDataLink(link, panel, context)));
  if (panel.decimals !== undefined) builder.decimals(panel.decimals);
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.kind !== "heatmap" && panel.thresholds !== undefined) builder.thresholds(toSteps(panel.thresholds));
  if (panel.kind === "table") return builder;
  for (const [index, { unit }] of panel.queries.entries())
    if (unit !== undefined) builder.overrideByQuery(refId(index), [{ id: "unit", value: unit }]);
  return builder;
}

function toSteps({ base, steps }: Thresholds): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([
      { value: null, color: colorOf[base] },
      ...steps.map(({ from, state }) => ({ value: from, color: colorOf[state] })),
    ]);
}

/** What panels without values have: links at the head. */
export function headed<B extends AnyBuilder>(
  builder: B,
  panel: LogsPanel | TracesPanel | GraphPanel,
  context: LinkContext,
): B {
  // Links on single lines and spans are the data sources' (grafana/provisioning).
  const links = panel.links.filter((link) => !namesLabels(link));
  return framed(builder, panel).links(links.map((link) => toHeaderLink(link, panel, context)));
}
