import {
  AnnotationQueryBuilder,
  ConstantVariableBuilder,
  type Dashboard as GrafanaDashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Annotation, Dashboard, Variable } from "../model.ts";
import { colorOf } from "./frame.ts";
import { consoleVariable } from "./link.ts";
import { toGrafanaPanel } from "./panel.ts";
import { sourceRef } from "./query.ts";

export const consoleAddress = "http://localhost:8080";

/** The JSON of Grafana's classic dashboard schema. `all` is where links find the variables of their targets. */
export function toGrafana(dashboard: Dashboard, all: readonly Dashboard[]): GrafanaDashboard {
  const builder = new DashboardBuilder(dashboard.title)
    .uid(dashboard.uid)
    .description(dashboard.description)
    .tags(["vitrine", dashboard.topic])
    .readonly()
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: "now-30m", to: "now" })
    .refresh("10s")
    .link(
      new DashboardLinkBuilder("Dashboards")
        .type(DashboardLinkType.Dashboards)
        .tags(["vitrine"])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new ConstantVariableBuilder(consoleVariable).label("Console").value(consoleAddress));
  for (const variable of dashboard.variables) builder.withVariable(toVariable(variable));
  for (const annotation of dashboard.annotations) builder.annotation(toAnnotation(annotation));
  let id = 0;
  for (const row of dashboard.rows) {
    builder.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) builder.withPanel(toGrafanaPanel(panel, { from: dashboard, all }).id(++id));
  }
  return builder.build();
}

function toVariable(variable: Variable): QueryVariableBuilder | TextBoxVariableBuilder {
  if (variable.kind === "text")
    return new TextBoxVariableBuilder(variable.name).label(variable.title).defaultValue(variable.default);
  return (
    new QueryVariableBuilder(variable.name)
      .label(variable.title)
      .datasource(sourceRef("prometheus"))
      .query(`label_values(${variable.of}, ${variable.label})`)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      // Not `.+`: in an address a plus is a space.
      .allValue("..*")
      .current({ selected: true, text: ["All"], value: ["$__all"] })
  );
}

function toAnnotation({ title, query, state }: Annotation): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(title)
    .datasource(sourceRef(query.datasource))
    .enable(true)
    .iconColor(colorOf[state])
    .expr(query.expr)
    .titleFormat(query.legend)
    .step("10s");
}
