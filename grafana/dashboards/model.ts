/**
 * What a dashboard is, for Grafana and the console alike. Queries, links and legends are texts in which `$name` or
 * `${name}` stands for a variable, `$__rate_interval`, `$__range` for spans of time, and `${label.name}` for a label of
 * the series or a field of the row that was clicked (interpolate.ts).
 */

export type DashboardUid = `vitrine-${string}`;

export interface Dashboard {
  readonly uid: DashboardUid;
  readonly title: string;
  readonly description: string;
  /** What it is found under: `business`, `services`, `security`, `platform`. */
  readonly topic: Topic;
  readonly variables: readonly Variable[];
  readonly annotations: readonly Annotation[];
  readonly rows: readonly Row[];
}

export type Topic = "business" | "services" | "security" | "platform";

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A variable of several values stands in a query as the regular expression `a|b`, "all" as `.+`. */
export type Variable =
  | {
      readonly kind: "label";
      readonly name: string;
      readonly title: string;
      /** The values of `label` on the series that `of` selects; several can be chosen, and all. */
      readonly label: string;
      readonly of: string;
    }
  | {
      readonly kind: "text";
      readonly name: string;
      readonly title: string;
      readonly default: string;
      /** Where a value that gives every panel something to show is found: a LogQL query and the field of its lines. */
      readonly example?: { readonly expr: string; readonly field: string };
    };

export interface PrometheusQuery {
  readonly datasource: "prometheus";
  readonly expr: string;
  /** `{{label}}` is the value of a label. In a table: the title of the column. */
  readonly legend: string;
  /** Of this query alone, where it differs from the panel's. */
  readonly unit?: Unit;
  /** Single requests behind the numbers are shown as points that open their trace. */
  readonly exemplars?: true;
}

export interface LokiQuery {
  readonly datasource: "loki";
  readonly expr: string;
  readonly legend: string;
  readonly unit?: Unit;
}

export interface JaegerQuery {
  readonly datasource: "jaeger";
  readonly service: string;
  /** Span or resource attributes, by name. */
  readonly tags: Readonly<Record<string, string>>;
  readonly minDuration?: string;
}

export type SeriesQuery = PrometheusQuery | LokiQuery;

export type Query = SeriesQuery | JaegerQuery;

interface PanelBase {
  readonly title: string;
  /** What it shows, and what to think of it. */
  readonly description: string;
  /** In 24ths of the page, and in lines of 30 px. */
  readonly width: number;
  readonly height: number;
  readonly links: readonly Link[];
}

interface ValuePanelBase extends PanelBase {
  readonly unit: Unit;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly thresholds?: Thresholds;
  readonly queries: readonly SeriesQuery[];
}

/** Lines over the range; `stacked` areas where the sum means something. */
export interface TimeseriesPanel extends ValuePanelBase {
  readonly kind: "timeseries";
  readonly stacked?: true;
}

/** Values of now; `trend` draws their way over the range behind them, `words` replaces numbers. */
export interface StatPanel extends ValuePanelBase {
  readonly kind: "stat";
  readonly trend?: true;
  readonly words?: Readonly<Record<number, { readonly text: string; readonly state: State }>>;
}

/** One bar for each value of now. */
export interface BarsPanel extends ValuePanelBase {
  readonly kind: "bars";
}

/** Buckets of a histogram over the range; the query answers one series per `le`. */
export interface HeatmapPanel extends Omit<ValuePanelBase, "thresholds"> {
  readonly kind: "heatmap";
}

/** A row for each set of `labels`, a column for each label and each query. */
export interface TablePanel extends ValuePanelBase {
  readonly kind: "table";
  readonly queries: readonly PrometheusQuery[];
  readonly labels: readonly { readonly name: string; readonly title: string }[];
}

export interface LogsPanel extends PanelBase {
  readonly kind: "logs";
  readonly queries: readonly [LokiQuery];
}

/** Traces found by what they carry; one row each. */
export interface TracesPanel extends PanelBase {
  readonly kind: "traces";
  readonly queries: readonly [JaegerQuery];
}

/** Who calls whom: the rate of each pair of the labels `client` and `server`, and the share of it that failed. */
export interface GraphPanel extends PanelBase {
  readonly kind: "graph";
  readonly unit: Unit;
  readonly queries: readonly [calls: PrometheusQuery, failed: PrometheusQuery];
}

export type ValuePanel = TimeseriesPanel | StatPanel | BarsPanel | HeatmapPanel | TablePanel;

export type Panel = ValuePanel | LogsPanel | TracesPanel | GraphPanel;

export type State = "good" | "warning" | "critical";

/** The state below the first step, then the state from each value on, ascending. */
export interface Thresholds {
  readonly base: State;
  readonly steps: readonly { readonly from: number; readonly state: State }[];
}

/** Every link keeps the time range and the variables both ends know. */
export type Link =
  | {
      readonly to: "dashboard";
      readonly title: string;
      readonly uid: DashboardUid;
      /** What the target's variables are set to, where it is not the value they have here. */
      readonly variables?: Readonly<Record<string, string>>;
    }
  | { readonly to: "logs"; readonly title: string; readonly expr: string; readonly quiet?: true }
  | { readonly to: "traces"; readonly title: string; readonly search: JaegerQuery; readonly quiet?: true }
  /** A page of the console: that of a request. */
  | { readonly to: "page"; readonly title: string; readonly path: `/${string}` };

/** Something that happened, drawn over every panel. `quiet`: a healthy system may have none of it. */
export interface Annotation {
  readonly title: string;
  readonly query: SeriesQuery;
  readonly state: State;
  readonly quiet?: true;
}

/** Grafana's names of units; the console formats the same ones. */
export type Unit = "none" | "short" | "percentunit" | "s" | "bytes" | "Bps" | "reqps" | "ops" | "cps" | "currencyEUR";

/** Whether the panel asks for values of now; the others ask for their way over the range. */
export function isInstant(panel: Panel): boolean {
  switch (panel.kind) {
    case "table":
    case "bars":
    case "graph":
      return true;
    case "stat":
      return panel.trend !== true;
    case "timeseries":
    case "heatmap":
    case "logs":
    case "traces":
      return false;
    default:
      return panel satisfies never;
  }
}

/** Good below `warning`, critical from `critical` on: errors, durations, saturation. */
export function atMost(warning: number, critical: number): Thresholds {
  return {
    base: "good",
    steps: [
      { from: warning, state: "warning" },
      { from: critical, state: "critical" },
    ],
  };
}

/** Critical below `warning`, good from `good` on: availability, budgets. */
export function atLeast(warning: number, good: number): Thresholds {
  return {
    base: "critical",
    steps: [
      { from: warning, state: "warning" },
      { from: good, state: "good" },
    ],
  };
}
