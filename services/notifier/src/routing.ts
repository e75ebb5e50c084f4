import type { QuietHours } from "@vitrine/contracts/targets";
import type { Tier } from "@vitrine/contracts/alerts";
import { quietUntil } from "./quiet-hours.ts";
import type { ToldChange } from "./told-change.ts";

/** What of a target decides whether and when it is told. */
export interface Routing {
  readonly tiers: readonly Tier[];
  readonly matchers: Readonly<Record<string, string>>;
  readonly sendResolved: boolean;
  readonly quietHours: QuietHours | null;
}

export function isToldTo(target: Routing, change: ToldChange): boolean {
  return (
    target.tiers.includes(change.tier) &&
    (change.status === "firing" || target.sendResolved) &&
    Object.entries(target.matchers).every(([name, value]) => change.labels[name] === value)
  );
}

/** When a message of this tier is due at a target, in milliseconds since the epoch. */
export function dueAt({ quietHours }: Routing, tier: Tier, now: number): number {
  return quietHours?.tiers.includes(tier) === true ? quietUntil(quietHours, now) : now;
}
