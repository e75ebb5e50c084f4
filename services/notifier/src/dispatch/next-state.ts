import type { Outcome } from "../send/outcome.ts";
import type { AttemptRecord, DueDelivery } from "../store/deliveries.ts";
import { type Backoff, backoffMs } from "./backoff.ts";

/** Short enough that what a target missed in an outage arrives within five minutes of its return. */
const messageBackoff: Backoff = { first: 5_000, longest: 300_000 };

/** After this long a message is given up: it lies among the dead letters until somebody replays it. */
export const maxAgeMs = 86_400_000;

/** What follows from an attempt for its message. */
export function nextState(
  { id, tries, dueAt }: Pick<DueDelivery, "id" | "tries" | "dueAt">,
  outcome: Outcome,
  now: number,
  random: () => number,
): AttemptRecord {
  if (outcome.kind === "delivered") return { id, state: "delivered", at: now, failure: null, status: outcome.status };
  const { failure, status, retryAfterMs = 0 } = outcome;
  const at = now + Math.max(retryAfterMs, backoffMs(messageBackoff, tries + 1, random));
  if (outcome.kind === "refused" || at - dueAt.getTime() > maxAgeMs)
    return { id, state: "dead", at: now, failure, status };
  return { id, state: "waiting", at, failure, status };
}
