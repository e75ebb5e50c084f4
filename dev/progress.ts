import { serviceNames } from "./process-names.ts";
import type { Stack } from "./stack.ts";
import type { Clock } from "./supervised.ts";

export interface ProgressOptions {
  readonly stack: Pick<Stack, "settled" | "isReady" | "rows">;
  readonly clock: Clock;
  readonly startedAtMs: number;
  /** Settles when every engine has joined, or cannot. */
  readonly engines: Promise<void>;
  readonly stop: AbortSignal;
  /** Prints the table of links below these words. */
  readonly show: (headline: string) => void;
}

/** The first customers fill the shop, which takes a while and keeps nobody from its pages: so long they are waited for. */
const customersMs = 2_000;

/** The table of links when the services have settled, and again when everything has that was still to come. */
export async function showProgress({ stack, clock, startedAtMs, engines, stop, show }: ProgressOptions): Promise<void> {
  let complete = false;
  const completing = (async () => {
    await Promise.all([engines, stack.settled(["postgres", ...serviceNames])]);
    complete = true;
  })();
  const seconds = (): string => `${((clock.now() - startedAtMs) / 1000).toFixed(1)} s`;
  const hosts = serviceNames.filter((name) => name !== "generator");
  await stack.settled(["postgres", ...hosts]);
  const over = new AbortController();
  await Promise.race([completing, clock.sleep(customersMs, AbortSignal.any([over.signal, stop]))]);
  over.abort();
  const present = hosts.filter((name) => stack.rows.some((row) => row.name === name));
  if (!complete && present.length > 0 && !stop.aborted) {
    const what = present.every((name) => stack.isReady(name)) ? "Services are ready" : "Not every service is ready";
    show(`${what} after ${seconds()}; the rest joins as it comes`);
  }
  await completing;
  if (stop.aborted) return;
  const failed = stack.rows.some(({ state }) => state === "failed");
  show(failed ? `Up after ${seconds()}, but not all of it` : `Everything is ready after ${seconds()}`);
}
