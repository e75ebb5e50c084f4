import type { Tier } from "@vitrine/contracts/alerts";

/** A change of an alert as messages tell it: what was so when it happened, whatever came after. Times are ISO 8601. */
export interface ToldChange {
  readonly alertId: string;
  readonly revision: number;
  readonly status: "firing" | "resolved";
  readonly reminder: boolean;
  readonly fingerprint: string;
  readonly name: string;
  readonly tier: Tier;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What is sent to one target at once. */
export interface Message {
  /** The same in every attempt. */
  readonly id: string;
  readonly tier: Tier;
  readonly createdAt: Date;
  /** Alertmanager's group, so that mail programs show its messages together. */
  readonly groupKey: string;
  readonly test: boolean;
  readonly changes: readonly ToldChange[];
}
