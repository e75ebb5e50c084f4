import { annotations, dashboardLink, inEuros, loki, orNone, prometheus, requestOfLine, sized } from "./common.ts";
import type { Dashboard, Link } from "./model.ts";

const trading: Link = dashboardLink("Trading operations", "vitrine-trading");
const users: Link = dashboardLink("Users", "vitrine-users");
const movements: Link = { to: "logs", title: "Movements", expr: '{service_name="orders"} | action=~"wallet[.].+"' };

/** Every process of orders reports the same number: the largest is it, not the sum. */
function held(metric: string, labels: string): string {
  return `max by (${labels}) (${metric})`;
}

function heldInEuros(metric: string, label: string): string {
  return `sum by (${label}) (${inEuros(held(metric, `${label}, currency`))})`;
}

const present = `sum(${inEuros(held('collection_value{basis="present"}', "currency"))})`;
const paid = `sum(${inEuros(held('collection_value{basis="cost"}', "currency"))})`;

export const portfolio: Dashboard = {
  uid: "vitrine-portfolio",
  title: "Portfolio insights",
  description: "What customers own: money in wallets, pieces in collections, what they cost and what they are worth.",
  topic: "business",
  variables: [],
  annotations,
  rows: [
    {
      title: "Held",
      panels: [
        {
          kind: "stat",
          title: "Collections are worth",
          description: "Present value of all collections, in euros at reference rates.",
          ...sized("quarter", 6),
          unit: "currencyEUR",
          trend: true,
          queries: [prometheus("worth", present)],
          links: [trading],
        },
        {
          kind: "stat",
          title: "Gain",
          description: "Present value of all collections above what they cost, as a share of the cost.",
          ...sized("quarter", 6),
          unit: "percentunit",
          decimals: 2,
          queries: [prometheus("gain", `${present} / (${paid} > 0) - 1`)],
          links: [trading],
        },
        {
          kind: "stat",
          title: "Money in wallets",
          description: "Free to spend, and held for orders that are not paid yet, in euros at reference rates.",
          ...sized("quarter", 6),
          unit: "currencyEUR",
          queries: [prometheus("{{state}}", heldInEuros("wallet_balance", "state"))],
          links: [movements],
        },
        {
          kind: "bars",
          title: "Pieces in collections",
          description: "Pieces customers own now, by kind.",
          ...sized("quarter", 6),
          unit: "short",
          decimals: 0,
          queries: [prometheus("{{piece_kind}}", held("collection_pieces", "piece_kind"))],
          links: [trading],
        },
      ],
    },
    {
      title: "Over time",
      panels: [
        {
          kind: "timeseries",
          title: "Cost and present value",
          description: "Of all collections, in euros. The gap is what customers gained or lost on paper.",
          ...sized("half"),
          unit: "currencyEUR",
          queries: [prometheus("{{basis}}", heldInEuros("collection_value", "basis"))],
          links: [trading],
        },
        {
          kind: "timeseries",
          title: "Free and held money",
          description: "In all wallets, in euros. Held money that does not go down again is orders that do not end.",
          ...sized("half"),
          unit: "currencyEUR",
          min: 0,
          queries: [prometheus("{{state}}", heldInEuros("wallet_balance", "state"))],
          links: [movements, trading],
        },
        {
          kind: "timeseries",
          title: "Money moved",
          description:
            "Euros per second, by why: paid in and out, held for orders, taken for pieces, paid for pieces sold back.",
          ...sized("third"),
          unit: "currencyEUR",
          min: 0,
          queries: [
            prometheus(
              "{{movement}}",
              `sum by (movement) (${inEuros("sum by (movement, currency) (rate(wallet_volume_total[$__rate_interval]))")})`,
            ),
          ],
          links: [movements],
        },
        {
          kind: "timeseries",
          title: "Movements",
          description: "Movements of money that were done, per second, by kind.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{movement}}",
              'sum by (movement) (rate(wallet_movements_total{outcome="done"}[$__rate_interval]))',
            ),
          ],
          links: [movements],
        },
        {
          kind: "timeseries",
          title: "Not enough money",
          description: "Movements refused for want of money, per second, by what was wanted.",
          ...sized("third"),
          unit: "ops",
          min: 0,
          queries: [
            prometheus(
              "{{movement}}",
              orNone(
                'sum by (movement) (rate(wallet_movements_total{outcome="insufficient_funds"}[$__rate_interval]))',
                "movement",
              ),
            ),
          ],
          links: [
            { to: "logs", title: "Refusals", expr: '{service_name="orders"} | action="wallet.refused"', quiet: true },
          ],
        },
        {
          kind: "timeseries",
          title: "Bought and sold back",
          description: "Pieces per second that came into collections and left them.",
          ...sized("half"),
          unit: "ops",
          min: 0,
          queries: [prometheus("{{order_kind}}", "sum by (order_kind) (rate(orders_pieces_total[$__rate_interval]))")],
          links: [trading],
        },
        {
          kind: "logs",
          title: "Movements of money",
          description: "Deposits, withdrawals and what was refused; a line opens its request.",
          ...sized("half"),
          queries: [loki("", '{service_name="orders"} | action=~"wallet[.].+"')],
          links: [users, requestOfLine],
        },
      ],
    },
  ],
};
