export interface Repeated {
  /** Begins with the first round at once. */
  start(): void;
  /** Ends the rounds, after the one that is under way. */
  close(): Promise<void>;
}

/** Work to be done again and again beside the requests; it keeps no process alive, and must not throw. */
export function repeated(work: () => Promise<void>, everyMs: number): Repeated {
  let timer: ReturnType<typeof setInterval> | undefined;
  let round: Promise<void> = Promise.resolve();
  const next = (): void => {
    round = work();
  };
  return {
    start: () => {
      next();
      timer ??= setInterval(next, everyMs);
      timer.unref();
    },
    close: async () => {
      clearInterval(timer);
      await round;
    },
  };
}
