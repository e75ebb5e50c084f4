import {
  annotations,
  anyIsBad,
  dashboardLink,
  errorShare,
  inEuros,
  loki,
  maison,
  orNone,
  orZero,
  prometheus,
  requestOfLine,
  sized,
  waiting,
} from "./common.ts";
import type { Dashboard, Link } from "./model.ts";

const chosen = 'piece_maison=~"$maison"';

const trading: Link = dashboardLink("Trading operations", "vitrine-trading");
const thisMaison: Link = dashboardLink("This maison", "vitrine-orders", { maison: "${label.piece_maison}" });
const orderLines: Link = {
  to: "logs",
  title: "Orders in the logs",
  expr: '{service_name="orders"} | action=~"order[.].+"',
};
const orderRequests: Link = dashboardLink("API performance", "vitrine-api-performance", { service: "orders" });

export const orders: Dashboard = {
  uid: "vitrine-orders",
  title: "Orders",
  description:
    "The luxury floor at a glance: what is ordered, whether it is met, how fast, and whether all of it is seen.",
  topic: "business",
  variables: [maison],
  annotations,
  rows: [
    {
      title: "The floor",
      panels: [
        {
          kind: "stat",
          title: "Orders",
          description: "Orders placed per second, buying and selling.",
          ...sized("sixth", 5),
          unit: "ops",
          decimals: 2,
          trend: true,
          queries: [
            prometheus(
              "orders",
              orZero(`sum(rate(orders_steps_total{order_status="placed", ${chosen}}[$__rate_interval]))`),
            ),
          ],
          links: [trading, orderLines],
        },
        {
          kind: "stat",
          title: "Value",
          description: "Value of the pieces bought over the range, all currencies in euros at reference rates.",
          ...sized("sixth", 5),
          unit: "currencyEUR",
          queries: [
            prometheus(
              "bought",
              orZero(
                `sum(${inEuros(`sum by (currency) (increase(orders_value_total{order_kind="buy", ${chosen}}[$__range]))`)})`,
              ),
            ),
          ],
          links: [trading],
        },
        {
          kind: "stat",
          title: "Not met",
          description: "Share of orders that failed over the range, for any reason: nothing in stock is one of them.",
          ...sized("sixth", 5),
          unit: "percentunit",
          decimals: 1,
          queries: [
            prometheus(
              "failed",
              orZero(
                `sum(increase(orders_steps_total{order_status="failed", ${chosen}}[$__range])) / (sum(increase(orders_steps_total{order_status="placed", ${chosen}}[$__range])) > 0)`,
              ),
            ),
          ],
          links: [trading, orderLines],
        },
        {
          kind: "stat",
          title: "Errors",
          description: "Share of answers of the orders service that were 5xx, over five minutes.",
          ...sized("sixth", 5),
          unit: "percentunit",
          decimals: 2,
          trend: true,
          thresholds: errorShare,
          queries: [prometheus("5xx", 'service:http_errors:ratio_rate5m{service_name="orders"}')],
          links: [orderRequests],
        },
        {
          kind: "stat",
          title: "Database p95",
          description: "One database call of the orders service in twenty takes longer; over five minutes.",
          ...sized("sixth", 5),
          unit: "s",
          trend: true,
          thresholds: waiting,
          queries: [prometheus("p95", 'service:db_operation_duration_seconds:p95_5m{service_name="orders"}')],
          links: [dashboardLink("Database", "vitrine-database", { service: "orders" })],
        },
        {
          kind: "stat",
          title: "Unseen",
          description: "Telemetry that exporters gave up over the range. What is not counted here was seen.",
          ...sized("sixth", 5),
          unit: "bytes",
          thresholds: anyIsBad,
          queries: [prometheus("lost", orZero("sum(increase(telemetry_export_dropped_bytes_total[$__range]))"))],
          links: [dashboardLink("Telemetry clients", "vitrine-telemetry-clients", { service: "orders" })],
        },
      ],
    },
    {
      title: "What is ordered",
      panels: [
        {
          kind: "timeseries",
          title: "Orders by maison",
          description: "Orders placed per second.",
          ...sized("half", 9),
          unit: "ops",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{piece_maison}}",
              `sum by (piece_maison) (rate(orders_steps_total{order_status="placed", ${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [thisMaison, trading],
        },
        {
          kind: "timeseries",
          title: "Why orders fail",
          description: "Orders that failed, expired or were called off, per second, by reason.",
          ...sized("half", 9),
          unit: "ops",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{order_status}}: {{order_reason}}",
              orNone(
                `sum by (order_status, order_reason) (rate(orders_steps_total{order_status=~"failed|expired|cancelled", ${chosen}}[$__rate_interval]))`,
                "order_status",
                "order_reason",
              ),
            ),
          ],
          links: [trading, orderLines],
        },
      ],
    },
    {
      title: "How it feels",
      panels: [
        {
          kind: "heatmap",
          title: "Time to answer an order",
          description: "How long customers waited for the answer to an order: most should be in the lowest bands.",
          ...sized("half", 8),
          unit: "s",
          queries: [
            prometheus(
              "{{le}}",
              'sum by (le) (increase(http_server_request_duration_seconds_bucket{service_name="orders", http_request_method="POST"}[$__rate_interval]))',
            ),
          ],
          links: [orderRequests],
        },
        {
          kind: "timeseries",
          title: "Exporters",
          description:
            "Telemetry of the shop's services that waits to be taken. Zero most of the time; a climb is a door that is shut.",
          ...sized("half", 8),
          unit: "bytes",
          min: 0,
          queries: [
            prometheus(
              "{{service_name}} {{signal}}",
              'sum by (service_name, signal) (telemetry_export_pending_bytes{service_name=~"orders|inventory"})',
            ),
          ],
          links: [
            dashboardLink("Telemetry clients", "vitrine-telemetry-clients", { service: "${label.service_name}" }),
          ],
        },
        {
          kind: "logs",
          title: "Orders as they come",
          description: "Every step of every order; a line opens its request.",
          ...sized("whole", 10),
          queries: [loki("", '{service_name="orders"} | action=~"order[.].+"')],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
