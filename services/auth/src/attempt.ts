import { ServiceError } from "@vitrine/kit/errors";
import type { AttemptMethod, FailureReason, PeopleEvents } from "./people-events.ts";

/**
 * Counts an attempt that could not be judged: while the database is away, or too much work waits, no row of the audit
 * log tells of it. Rethrows what `work` throws.
 */
export async function attempt<T>(
  { peopleEvents }: { readonly peopleEvents: PeopleEvents },
  method: AttemptMethod,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = whyUnjudged(error);
    if (reason !== undefined) peopleEvents.refused(method, reason);
    throw error;
  }
}

export function whyUnjudged(error: unknown): Extract<FailureReason, "throttled" | "unavailable"> | undefined {
  if (!(error instanceof ServiceError) || error.code !== "unavailable") return undefined;
  return error.reason === "busy" ? "throttled" : "unavailable";
}
