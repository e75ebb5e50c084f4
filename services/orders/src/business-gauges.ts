import { type Money, toWholeUnits } from "@vitrine/contracts/money";
import { metrics } from "@vitrine/contracts/telemetry";
import { observe } from "@vitrine/kit/telemetry";
import type { Statistics } from "./store/statistics.ts";

export interface BusinessGauges {
  /** Reads anew what the gauges tell. @throws ServiceError `unavailable`; they then tell nothing */
  refresh(): Promise<void>;
}

/** Open orders, money, collections and customers, as metrics. */
export function createBusinessGauges(read: () => Promise<Statistics>): BusinessGauges {
  let known: Statistics | undefined;
  const statuses = ["placed", "reserved", "paid"] as const;

  observe(metrics.ordersOpen, (report) => {
    for (const { kind, status, count } of known?.open ?? [])
      report(count, { "order.kind": kind, "order.status": status });
  });
  observe(metrics.ordersOpenOldest, (report) => {
    if (known === undefined) return;
    for (const status of statuses) {
      const ages = known.open.filter((group) => group.status === status).map(({ oldestSeconds }) => oldestSeconds);
      report(Math.max(0, ...ages), { "order.status": status });
    }
  });
  observe(metrics.walletBalance, (report) => {
    for (const { currency, available, held } of known?.balances ?? []) {
      report(toWholeUnits({ amount: available, currency }), { state: "available", currency });
      report(toWholeUnits({ amount: held, currency }), { state: "held", currency });
    }
  });
  observe(metrics.collectionValue, (report) => {
    for (const { basis, ...sum } of known?.collections ?? [])
      report(toWholeUnits(sum satisfies Money), { basis, currency: sum.currency });
  });
  observe(metrics.collectionPieces, (report) => {
    for (const { kind, count } of known?.pieces ?? []) report(count, { "piece.kind": kind });
  });
  observe(metrics.customersActive, (report) => {
    for (const window of ["5m", "1h", "24h"] as const)
      if (known !== undefined) report(known.active[window], { window });
  });

  return {
    refresh: async () => {
      try {
        known = await read();
      } catch (error) {
        known = undefined;
        throw error;
      }
    },
  };
}
