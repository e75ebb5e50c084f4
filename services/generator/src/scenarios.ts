import type { FaultName, FaultService } from "@vitrine/contracts/faults";
import type { ScenarioName } from "@vitrine/contracts/scenarios";

/** How often customers do what, in comparison. */
export interface Habits {
  /** Before a piece: order it, think about it for longer, or go on. */
  readonly atPiece: Readonly<Record<"order" | "hesitate" | "leave", number>>;
  /** With an order to pay: many find out at the till that they must deposit first, some forget about it. */
  readonly atTill: Readonly<Record<"pay" | "deposit" | "cancel" | "forget", number>>;
  /** With nothing to pay. */
  readonly elsewhere: Readonly<Record<"browse" | "orders" | "wallet" | "collection" | "sell", number>>;
}

export interface Scenario {
  readonly description: string;
  /** Arrivals, as a multiple of the calm rate. */
  readonly rate: number;
  /** The share of arrivals that are attacks. */
  readonly attacks: number;
  readonly habits: Habits;
  /** Faults that are on for as long as the scenario lasts. */
  readonly faults: readonly { readonly name: FaultName; readonly services?: readonly FaultService[] }[];
}

const everyday: Habits = {
  atPiece: { order: 30, hesitate: 15, leave: 55 },
  atTill: { pay: 45, deposit: 40, cancel: 6, forget: 9 },
  elsewhere: { browse: 50, orders: 22, wallet: 10, collection: 10, sell: 8 },
};

/** People who came to buy. */
const hurried: Habits = {
  atPiece: { order: 60, hesitate: 5, leave: 35 },
  atTill: { pay: 50, deposit: 45, cancel: 2, forget: 3 },
  elsewhere: { browse: 75, orders: 15, wallet: 5, collection: 3, sell: 2 },
};

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  calm: { description: "An ordinary day.", rate: 1, attacks: 0, habits: everyday, faults: [] },
  sale: { description: "Ten times the customers, who came to buy.", rate: 10, attacks: 0, habits: hurried, faults: [] },
  attack: {
    description: "Among the customers somebody guesses passwords, forges tokens, probes scopes and spoofs telemetry.",
    rate: 2,
    attacks: 0.5,
    habits: everyday,
    faults: [],
  },
  outage: {
    description: "Inventory is down and orders are slow.",
    rate: 1,
    attacks: 0,
    habits: everyday,
    faults: [{ name: "inventory_down" }, { name: "latency", services: ["orders"] }],
  },
};
