/**
 * Asks until `ask` answers something other than undefined or false, and returns it. What it throws means "not yet" and is
 * the cause of the error that tells, after `withinMs` milliseconds, what never came. Give it less than the test has:
 * a test that runs out of time takes its file's child processes with it, and does not say what it waited for.
 */
export async function eventually<T>(
  what: string,
  withinMs: number,
  ask: () => T | Promise<T>,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + withinMs;
  let cause: unknown;
  for (let pauseMs = 1; performance.now() < deadline; pauseMs = Math.min(pauseMs * 1.5, 100)) {
    try {
      const found = await ask();
      if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    } catch (error) {
      cause = error;
    }
    await Bun.sleep(pauseMs);
  }
  throw new Error(`did not happen within ${withinMs} ms: ${what}`, { cause });
}

/** Waits for a condition, which the error quotes, and returns how many milliseconds that took. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<number> {
  const startedAt = performance.now();
  await eventually(String(condition), withinMs, condition);
  return performance.now() - startedAt;
}

/**
 * The least of at most three measurements; one below `enough` ends it. For a promise of how soon something happens, or how
 * little it takes: a machine that is busy with other things can only add to it.
 */
export async function bestOfThree(enough: number, measure: (round: number) => Promise<number>): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < 3 && best >= enough; round += 1) best = Math.min(best, await measure(round));
  return best;
}
