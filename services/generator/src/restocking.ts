import type { StockLevel } from "@vitrine/contracts/inventory";
import type { Random } from "./random.ts";

export interface Delivery {
  readonly pieceId: string;
  readonly quantity: number;
}

const lowStock = 1;

/** What is delivered in one round: half of what is nearly gone, so that some pieces stay sold out for a while. */
export function planDeliveries(levels: readonly StockLevel[], random: Random): readonly Delivery[] {
  return levels
    .filter(({ available }) => available <= lowStock)
    .filter(() => random.next() < 0.5)
    .map(({ pieceId }) => ({ pieceId, quantity: random.int(2, 8) }));
}
