import { annotations, anyIsBad, dashboardLink, maison, orZero, requestOfLine, sized, waiting } from "./common.ts";
import type { Dashboard } from "./model.ts";

const placed = 'orders_placed_total{piece_maison=~"$maison"}';

export const orders: Dashboard = {
  uid: "vitrine-orders",
  title: "Orders",
  description:
    "The luxury floor at a glance: what is ordered, whether it is met, how fast, and whether it is all seen.",
  topic: "business",
  variables: [maison],
  annotations,
  rows: [
    {
      title: "Now",
      panels: [
        {
          kind: "stat",
          title: "Orders per second",
          description: "Orders taken, met or not, over the last minute.",
          ...sized("sixth", 5),
          unit: "ops",
          decimals: 2,
          trend: true,
          queries: [
            { datasource: "prometheus", expr: orZero(`sum(rate(${placed}[$__rate_interval]))`), legend: "orders" },
          ],
          links: [dashboardLink("Trading operations", "vitrine-trading")],
        },
        {
          kind: "stat",
          title: "Database p95",
          description: "One database call of the orders service in twenty takes longer; over five minutes.",
          ...sized("sixth", 5),
          unit: "s",
          trend: true,
          thresholds: waiting,
          queries: [
            {
              datasource: "prometheus",
              expr: 'service:db_operation_duration_seconds:p95_5m{service_name="orders"}',
              legend: "p95",
            },
          ],
          links: [dashboardLink("Database", "vitrine-database", { service: "orders" })],
        },
        {
          kind: "stat",
          title: "Telemetry lost",
          description:
            "Telemetry the exporters of all services gave up over the range: what is not counted here was seen.",
          ...sized("sixth", 5),
          unit: "bytes",
          thresholds: anyIsBad,
          queries: [
            {
              datasource: "prometheus",
              expr: orZero("sum(increase(telemetry_export_dropped_bytes_total[$__range]))"),
              legend: "lost",
            },
          ],
          links: [dashboardLink("Telemetry clients", "vitrine-telemetry-clients")],
        },
      ],
    },
    {
      title: "Lines",
      panels: [
        {
          kind: "logs",
          title: "Orders as they come",
          description: "Every order that was taken or failed; a line opens its request.",
          ...sized("whole", 10),
          queries: [
            {
              datasource: "loki",
              expr: '{service_name="orders"} | action=~"order.placed|order.failed"',
              legend: "",
            },
          ],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
