import { ServiceError } from "@vitrine/kit/errors";

export interface LimiterOptions {
  /** Pieces of work running at once. */
  readonly concurrency: number;
  /** Pieces of work that may wait; one more is refused. */
  readonly maxWaiting: number;
}

export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

const retryAfterSeconds = 2;

/**
 * Runs work first come, first served, so many at once and so many waiting.
 * @throws ServiceError `unavailable` (503, Retry-After) with reason `busy` when the line is full
 */
export function createLimiter({ concurrency, maxWaiting }: LimiterOptions): Limiter {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running < concurrency) {
      running += 1;
      return;
    }
    if (waiting.length >= maxWaiting) {
      throw new ServiceError("unavailable", undefined, { reason: "busy", retryAfterSeconds });
    }
    // Whoever leaves hands its place over, so `running` stays as it is.
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    await promise;
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
