/** Ends what takes too long. */
export interface Deadlines {
  /** Calls `late` once `ms` have passed, up to a tenth of a second later; the function returned calls it off. */
  within(ms: number, late: () => void): () => void;
}

/** A link of the chain of all that wait: put in and taken out without a look at the others. */
interface Waiting {
  readonly at: number;
  readonly late: () => void;
  before: Waiting | undefined;
  after: Waiting | undefined;
}

const sweepMs = 100;

/** One timer for everything that waits: one for each request costs more than all the rest of its bookkeeping. */
export function createDeadlines(): Deadlines {
  let last: Waiting | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  function remove(waiting: Waiting): void {
    const { before, after } = waiting;
    if (before === undefined && after === undefined && last !== waiting) return;
    if (before !== undefined) before.after = after;
    if (after !== undefined) after.before = before;
    else last = before;
    waiting.before = undefined;
    waiting.after = undefined;
  }

  function sweep(): void {
    const now = performance.now();
    const due: Waiting[] = [];
    for (let waiting = last; waiting !== undefined; waiting = waiting.before) if (waiting.at <= now) due.push(waiting);
    for (const waiting of due) {
      remove(waiting);
      waiting.late();
    }
    if (last !== undefined) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    within: (ms, late) => {
      const waiting: Waiting = { at: performance.now() + ms, late, before: last, after: undefined };
      if (last !== undefined) last.after = waiting;
      last = waiting;
      if (timer === undefined) {
        timer = setInterval(sweep, sweepMs);
        timer.unref();
      }
      return () => remove(waiting);
    },
  };
}
