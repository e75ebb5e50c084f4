/** Ends what takes too long. */
export interface Deadlines {
  /** Calls `late` once `ms` have passed, up to a tenth of a second later; the function returned calls it off. */
  within(ms: number, late: () => void): () => void;
}

interface Deadline {
  readonly at: number;
  readonly late: () => void;
}

const sweepMs = 100;

/** One timer for everything that waits: a timer of its own for each request costs more than all the rest of its bookkeeping. */
export function createDeadlines(): Deadlines {
  const waiting = new Set<Deadline>();
  let timer: ReturnType<typeof setInterval> | undefined;

  function sweep(): void {
    const now = performance.now();
    for (const deadline of waiting) {
      if (deadline.at > now) continue;
      waiting.delete(deadline);
      deadline.late();
    }
    if (waiting.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    within: (ms, late) => {
      const deadline = { at: performance.now() + ms, late };
      waiting.add(deadline);
      timer ??= setInterval(sweep, sweepMs);
      return () => waiting.delete(deadline);
    },
  };
}
