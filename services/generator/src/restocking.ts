import type { StockLevel } from "@vitrine/contracts/inventory";
import type { Random } from "./random.ts";

export interface Delivery {
  readonly pieceId: string;
  readonly quantity: number;
}

const lowStock = 10;

/** What is delivered in one round: some of each piece that runs low and is no limited edition. */
export function planDeliveries(
  levels: readonly StockLevel[],
  limited: ReadonlySet<string>,
  random: Random,
): readonly Delivery[] {
  return levels
    .filter(({ pieceId, available }) => available <= lowStock && !limited.has(pieceId))
    .map(({ pieceId }) => ({ pieceId, quantity: random.int(10, 20) }));
}
