import { setImmediate } from "node:timers/promises";

const atOnce = 2_000;

/** Does much work bit by bit, so that other pages are answered meanwhile. */
export async function inTurns<T>(items: readonly T[], work: (item: T) => void): Promise<void> {
  for (const [at, item] of items.entries()) {
    if (at > 0 && at % atOnce === 0) await setImmediate();
    work(item);
  }
}
