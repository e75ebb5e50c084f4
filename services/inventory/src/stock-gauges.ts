import { metrics } from "@vitrine/contracts/telemetry";
import { observe } from "@vitrine/kit/telemetry";
import type { ReservationStore } from "./store/reservations.ts";
import type { StockGroup, StockStore } from "./store/stock.ts";

export interface StockGauges {
  /** Reads anew what the gauges tell. @throws ServiceError `unavailable`; they then tell nothing */
  refresh(): Promise<void>;
}

/** Anybody who may fill the catalogue can name maisons: metrics tell so many of them apart, in the order of their names. */
const maxMaisons = 50;

/** What lies on the shelf and what is held, as metrics. */
export function createStockGauges(stock: StockStore, reservations: ReservationStore): StockGauges {
  let groups: readonly StockGroup[] = [];
  let held: Awaited<ReturnType<ReservationStore["held"]>> | undefined;

  observe(metrics.inventoryStock, (report) => {
    for (const { available, reserved, ...group } of groups) {
      report(available, { ...labels(group), state: "available" });
      report(reserved, { ...labels(group), state: "reserved" });
    }
  });
  observe(metrics.inventoryLowStock, (report) => {
    for (const { low, ...group } of groups) report(low, labels(group));
  });
  observe(metrics.inventoryReservationsHeld, (report) => {
    if (held !== undefined) report(held.count);
  });
  observe(metrics.inventoryReservationsOldest, (report) => {
    if (held !== undefined) report(held.oldestSeconds);
  });

  return {
    refresh: async () => {
      try {
        [groups, held] = await Promise.all([stock.groups().then(bound), reservations.held()]);
      } catch (error) {
        [groups, held] = [[], undefined];
        throw error;
      }
    },
  };
}

function labels({ maison, kind }: Pick<StockGroup, "maison" | "kind">) {
  return { "piece.maison": maison ?? "unknown", "piece.kind": kind ?? "unknown" } as const;
}

/** Adds up under one name the maisons beyond those that are told apart. */
function bound(groups: readonly StockGroup[]): readonly StockGroup[] {
  const named = new Set(groups.flatMap(({ maison }) => maison ?? []));
  const known = new Set([null, ...[...named].slice(0, maxMaisons)]);
  const bounded = new Map<string, StockGroup>();
  for (const group of groups) {
    const maison = known.has(group.maison) ? group.maison : "other";
    const key = JSON.stringify([maison, group.kind]);
    const { available = 0, reserved = 0, low = 0 } = bounded.get(key) ?? {};
    bounded.set(key, {
      maison,
      kind: group.kind,
      available: available + group.available,
      reserved: reserved + group.reserved,
      low: low + group.low,
    });
  }
  return [...bounded.values()];
}
