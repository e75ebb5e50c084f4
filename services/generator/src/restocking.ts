import type { StockLevel } from "@vitrine/contracts/inventory";
import type { Random } from "./random.ts";

export interface Delivery {
  readonly pieceId: string;
  readonly quantity: number;
}

const lowStock = 10;

/** What is delivered in one round: some of each piece that runs low, so that whoever orders a few gets them. */
export function planDeliveries(levels: readonly StockLevel[], random: Random): readonly Delivery[] {
  return levels
    .filter(({ available }) => available <= lowStock)
    .map(({ pieceId }) => ({ pieceId, quantity: random.int(10, 20) }));
}
