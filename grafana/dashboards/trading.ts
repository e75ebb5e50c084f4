import {
  annotations,
  dashboardLink,
  inEuros,
  loki,
  maison,
  orNone,
  prometheus,
  requestOfLine,
  sized,
} from "./common.ts";
import { atMost, type Dashboard, type Link } from "./model.ts";

const chosen = 'piece_maison=~"$maison"';
const orders: Link = dashboardLink("Orders", "vitrine-orders");
const thisMaison: Link = dashboardLink("This maison", "vitrine-trading", { maison: "${label.piece_maison}" });
const thisStep: Link = {
  to: "logs",
  title: "These orders",
  expr: '{service_name="orders"} | action="order.${label.order_status}"',
  quiet: true,
};
const reservations: Link = {
  to: "logs",
  title: "Reservations",
  expr: '{service_name="inventory"} | action=~"stock[.].+"',
};
const dependencies: Link = dashboardLink("Dependency map", "vitrine-dependencies");

export const trading: Dashboard = {
  uid: "vitrine-trading",
  title: "Trading operations",
  description: "Orders on their way: where they stand, where they get lost, what is left to sell.",
  topic: "business",
  variables: [maison],
  annotations,
  rows: [
    {
      title: "The way of an order",
      panels: [
        {
          kind: "bars",
          title: "Funnel",
          description:
            "Orders to buy that reached each state over the range: from placed over reserved and paid to fulfilled.",
          ...sized("third"),
          unit: "short",
          decimals: 0,
          queries: ["placed", "reserved", "paid", "fulfilled"].map((status) =>
            prometheus(
              status,
              `sum(increase(orders_steps_total{order_kind="buy", order_status="${status}", ${chosen}}[$__range])) or vector(0)`,
            ),
          ),
          links: [orders],
        },
        {
          kind: "timeseries",
          title: "Steps",
          description: "Orders that reached a state, per second. A gap between two lines is where orders wait or end.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{order_kind}} {{order_status}}",
              `sum by (order_kind, order_status) (rate(orders_steps_total{${chosen}}[$__rate_interval]))`,
            ),
          ],
          links: [thisStep, orders],
        },
        {
          kind: "timeseries",
          title: "From placing to the end",
          description: "Half of the orders that ended took longer, and one in twenty, by how they ended.",
          ...sized("third"),
          unit: "s",
          min: 0,
          queries: [
            prometheus(
              "p50 {{order_status}}",
              "histogram_quantile(0.5, sum by (order_status, le) (rate(orders_duration_seconds_bucket[$__rate_interval])))",
            ),
            prometheus(
              "p95 {{order_status}}",
              "histogram_quantile(0.95, sum by (order_status, le) (rate(orders_duration_seconds_bucket[$__rate_interval])))",
            ),
          ],
          links: [thisStep],
        },
        {
          kind: "timeseries",
          title: "Open orders",
          description:
            "Orders that have not ended, by state. Placed ones that pile up wait for inventory, reserved ones for money.",
          ...sized("third"),
          unit: "short",
          min: 0,
          stacked: true,
          queries: [prometheus("{{order_kind}} {{order_status}}", "max by (order_kind, order_status) (orders_open)")],
          links: [thisStep],
        },
        {
          kind: "timeseries",
          title: "Oldest open order",
          description: "Its age in each state. Reserved ones expire; anything older was forgotten.",
          ...sized("third"),
          unit: "s",
          min: 0,
          thresholds: atMost(900, 3_600),
          queries: [prometheus("{{order_status}}", "max by (order_status) (orders_open_oldest_seconds)")],
          links: [thisStep],
        },
        {
          kind: "timeseries",
          title: "Requests that changed nothing",
          description: "Per second, by what was asked and why not: the price had changed, the wallet was too small.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{step}}: {{reason}}",
              orNone("sum by (step, reason) (rate(orders_refused_total[$__rate_interval]))", "step", "reason"),
            ),
          ],
          links: [
            { to: "logs", title: "Refusals", expr: '{service_name="orders"} | action="order.refused"', quiet: true },
          ],
        },
      ],
    },
    {
      title: "Maisons",
      panels: [
        {
          kind: "table",
          title: "Maisons",
          description:
            "Over the range: what was bought and sold back, what is left in stock, how many different pieces are running out.",
          ...sized("half", 11),
          unit: "short",
          decimals: 0,
          labels: [{ name: "piece_maison", title: "Maison" }],
          queries: [
            prometheus(
              "Orders",
              `sum by (piece_maison) (increase(orders_steps_total{order_status="placed", ${chosen}}[$__range]))`,
            ),
            prometheus(
              "Bought",
              `sum by (piece_maison) (increase(orders_pieces_total{order_kind="buy", ${chosen}}[$__range]))`,
            ),
            prometheus(
              "Sold back",
              `sum by (piece_maison) (increase(orders_pieces_total{order_kind="sell", ${chosen}}[$__range])) or sum by (piece_maison) (inventory_stock{${chosen}}) * 0`,
            ),
            prometheus(
              "In stock",
              `max by (piece_maison) (sum by (piece_maison, instance) (inventory_stock{state="available", ${chosen}}))`,
            ),
            prometheus(
              "Running out",
              `max by (piece_maison) (sum by (piece_maison, instance) (inventory_stock_low{${chosen}}))`,
            ),
          ],
          links: [thisMaison],
        },
        {
          kind: "timeseries",
          title: "Value by maison",
          description: "Value of pieces bought per second, in euros at reference rates.",
          ...sized("half", 11),
          unit: "currencyEUR",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{piece_maison}}",
              `sum by (piece_maison) (${inEuros(`sum by (piece_maison, currency) (rate(orders_value_total{order_kind="buy", ${chosen}}[$__rate_interval]))`)})`,
            ),
          ],
          links: [thisMaison],
        },
      ],
    },
    {
      title: "Stock",
      panels: [
        {
          kind: "timeseries",
          title: "Stock by kind",
          description: "Pieces that can be reserved, by kind. The generator delivers when something runs low.",
          ...sized("third"),
          unit: "short",
          min: 0,
          stacked: true,
          queries: [
            prometheus(
              "{{piece_kind}}",
              `max by (piece_kind) (sum by (piece_kind, instance) (inventory_stock{state="available", ${chosen}}))`,
            ),
          ],
          links: [reservations],
        },
        {
          kind: "timeseries",
          title: "Reservations",
          description: "Per second, by what became of them.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus("{{outcome}}", "sum by (outcome) (rate(inventory_reservations_total[$__rate_interval]))"),
          ],
          links: [reservations, dependencies],
        },
        {
          kind: "timeseries",
          title: "Age of reservations",
          description: "How long reservations were held before they ended, p95, and the oldest still held.",
          ...sized("third"),
          unit: "s",
          min: 0,
          queries: [
            prometheus(
              "p95 {{outcome}}",
              "histogram_quantile(0.95, sum by (outcome, le) (rate(inventory_reservation_age_seconds_bucket[$__rate_interval])))",
            ),
            prometheus("oldest held", "max(inventory_reservations_oldest_seconds)"),
          ],
          links: [reservations],
        },
        {
          kind: "logs",
          title: "Orders that did not end well",
          description: "Failed, expired, called off, or refused; a line opens its request.",
          ...sized("whole", 9),
          queries: [
            loki("", '{service_name="orders"} | action=~"order.(failed|expired|cancelled|refused|inventory_failed)"'),
          ],
          links: [requestOfLine],
        },
      ],
    },
  ],
};
