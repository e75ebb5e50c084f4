/** Ends what takes too long. */
export interface Deadlines {
  /** Calls `late` once `ms` have passed, up to a tenth of a second later, unless it is called off before. */
  within(ms: number, late: () => void): Deadline;
}

export interface Deadline {
  /** A second call does nothing, nor does one that comes too late. */
  callOff(): void;
}

const sweepMs = 100;

/** One timer for everything that waits: one for each request costs more than all the rest of its bookkeeping. */
export function createDeadlines(): Deadlines {
  let last: Waiting | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  /** A link of the chain of all that wait: put in and taken out without a look at the others. */
  class Waiting implements Deadline {
    readonly at: number;
    readonly late: () => void;
    before: Waiting | undefined = last;
    after: Waiting | undefined;

    constructor(at: number, late: () => void) {
      this.at = at;
      this.late = late;
    }

    /** Says whether it was still to come. */
    callOff(): boolean {
      const { before, after } = this;
      if (before === undefined && after === undefined && last !== this) return false;
      if (before !== undefined) before.after = after;
      if (after !== undefined) after.before = before;
      else last = before;
      this.before = undefined;
      this.after = undefined;
      return true;
    }
  }

  function sweep(): void {
    const now = performance.now();
    const due: Waiting[] = [];
    for (let waiting = last; waiting !== undefined; waiting = waiting.before) if (waiting.at <= now) due.push(waiting);
    // One that is told may call others off.
    for (const waiting of due) if (waiting.callOff()) waiting.late();
    if (last !== undefined) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    within: (ms, late) => {
      const waiting = new Waiting(performance.now() + ms, late);
      if (last !== undefined) last.after = waiting;
      last = waiting;
      if (timer === undefined) {
        timer = setInterval(sweep, sweepMs);
        timer.unref();
      }
      return waiting;
    },
  };
}
