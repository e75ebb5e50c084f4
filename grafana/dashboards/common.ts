import type {
  Annotation,
  DashboardUid,
  Link,
  LokiQuery,
  Panel,
  PrometheusQuery,
  Thresholds,
  Variable,
} from "./model.ts";

export const service: Variable = {
  kind: "label",
  name: "service",
  title: "Service",
  label: "service_name",
  of: "app_up",
};

export const route: Variable = {
  kind: "label",
  name: "route",
  title: "Route",
  label: "http_route",
  of: 'http_server_request_duration_seconds_count{service_name=~"$service"}',
};

export const client: Variable = {
  kind: "label",
  name: "client",
  title: "Client",
  label: "client_id",
  of: "gateway_ingest_requests_total",
};

export const maison: Variable = {
  kind: "label",
  name: "maison",
  title: "Maison",
  label: "piece_maison",
  of: "orders_steps_total",
};

/** What may explain a change: a new process, an alert, a fault somebody switched on. */
export const annotations: readonly Annotation[] = [
  {
    title: "Started",
    query: {
      datasource: "loki",
      expr: '{service_name=~".+"} | action="service.started"',
      legend: "{{service_name}} started",
    },
    state: "good",
    quiet: true,
  },
  {
    title: "Alert",
    query: {
      datasource: "prometheus",
      expr: 'ALERTS{alertstate="firing", alertname!="Watchdog"}',
      legend: "{{alertname}} {{service_name}}",
    },
    state: "critical",
    quiet: true,
  },
  {
    title: "Fault",
    query: {
      datasource: "prometheus",
      expr: "max by (service_name, fault_name) (fault_active) > 0",
      legend: "{{fault_name}} at {{service_name}}",
    },
    state: "warning",
    quiet: true,
  },
];

export function prometheus(
  legend: string,
  expr: string,
  extra: Omit<Partial<PrometheusQuery>, "expr"> = {},
): PrometheusQuery {
  return { datasource: "prometheus", expr, legend, ...extra };
}

export function loki(legend: string, expr: string): LokiQuery {
  return { datasource: "loki", expr, legend };
}

/** The expression, or zero where nothing of it was ever counted. */
export function orZero(expr: string): string {
  return `(${expr}) or vector(0)`;
}

/** The same for series told apart by labels: where there is none of them, one called "none" is zero. */
export function orNone(expr: string, ...labels: readonly string[]): string {
  const none = labels.reduce((inner, label) => `label_replace(${inner}, "${label}", "none", "", "")`, "vector(0)");
  return `(${expr}) or ${none} unless on () (${expr})`;
}

/** Amounts by currency in euros, by the reference rates of prometheus/rules/money.rules.yaml. */
export function inEuros(expr: string): string {
  return `${expr} * on (currency) group_left () currency:euros:reference`;
}

export function dashboardLink(title: string, uid: DashboardUid, variables?: Readonly<Record<string, string>>): Link {
  return variables === undefined ? { to: "dashboard", title, uid } : { to: "dashboard", title, uid, variables };
}

/** Lines of the service that was clicked. */
export const logsOfService: Link = { to: "logs", title: "Logs", expr: '{service_name="${label.service_name}"}' };
export const healthOfService: Link = dashboardLink("Service health", "vitrine-service-health", {
  service: "${label.service_name}",
});
export const performanceOfService: Link = dashboardLink("API performance", "vitrine-api-performance", {
  service: "${label.service_name}",
});
export function pageLink(title: string, path: `/${string}`): Link {
  return { to: "page", title, path };
}

export const requestOfLine: Link = pageLink("Request", "/requests/${label.request_id}");

/** A share of failures: from 1 % on it is worth a look, from 5 % on somebody is called (HighErrorRate). */
export const errorShare: Thresholds = {
  base: "good",
  steps: [
    { from: 0.01, state: "warning" },
    { from: 0.05, state: "critical" },
  ],
};

/** Durations people wait for: 200 ms is the objective, from 1 s on somebody is called (HighResponseTime). */
export const waiting: Thresholds = {
  base: "good",
  steps: [
    { from: 0.2, state: "warning" },
    { from: 1, state: "critical" },
  ],
};

/** Zero is good, anything else is not. */
export const anyIsBad: Thresholds = { base: "good", steps: [{ from: 1e-9, state: "critical" }] };

type Shape = "third" | "half" | "whole" | "quarter" | "sixth";

const widths: Readonly<Record<Shape, number>> = { sixth: 4, quarter: 6, third: 8, half: 12, whole: 24 };

/** Width and height of a panel: those beside each other have one height. */
export function sized(shape: Shape, height = 8): Pick<Panel, "width" | "height"> {
  return { width: widths[shape], height };
}
