export interface Place {
  /** Gives it back; a second call does nothing. */
  leave(): void;
}

export interface GateOptions {
  /** Milliseconds a request waits for a place before it is turned away. */
  readonly waitMs: number;
  /** Requests that wait at once, of all keys together. */
  readonly maxWaiting: number;
  /** Requests of one key that wait at once, for each of its places. */
  readonly waitingPerPlace: number;
}

export interface Gate {
  /**
   * Takes one of `places` for a key, at once when one is free, else when one is given back. `undefined` when none was free in time or too many wait already.
   */
  enter(key: string, places: number): Place | Promise<Place | undefined> | undefined;
  /** Requests that are in and requests that wait. */
  load(): { readonly inside: number; readonly waiting: number };
}

interface Waiter {
  readonly admit: (place: Place | undefined) => void;
}

interface Queue {
  inside: number;
  readonly waiting: Set<Waiter>;
}

/** Places by key, with a short queue each. It remembers a key only while a request of it is in. */
export function createGate({ waitMs, maxWaiting, waitingPerPlace }: GateOptions): Gate {
  const queues = new Map<string, Queue>();
  let inside = 0;
  let waiting = 0;

  class Taken implements Place {
    readonly #key: string;
    readonly #queue: Queue;
    #left = false;

    constructor(key: string, queue: Queue) {
      this.#key = key;
      this.#queue = queue;
    }

    leave(): void {
      if (this.#left) return;
      this.#left = true;
      // A place goes from hand to hand: nobody who came later can take it from who waits.
      if (this.#queue.waiting.size > 0) {
        const [next] = this.#queue.waiting;
        next?.admit(new Taken(this.#key, this.#queue));
        return;
      }
      inside -= 1;
      this.#queue.inside -= 1;
      if (this.#queue.inside === 0) queues.delete(this.#key);
    }
  }

  function wait(queue: Queue): Promise<Place | undefined> {
    const { promise, resolve } = Promise.withResolvers<Place | undefined>();
    const waiter: Waiter = {
      admit: (place) => {
        clearTimeout(timer);
        queue.waiting.delete(waiter);
        waiting -= 1;
        resolve(place);
      },
    };
    const timer = setTimeout(() => waiter.admit(undefined), waitMs);
    queue.waiting.add(waiter);
    waiting += 1;
    return promise;
  }

  return {
    enter: (key, places) => {
      let queue = queues.get(key);
      if (queue === undefined) queues.set(key, (queue = { inside: 0, waiting: new Set() }));
      if (queue.inside < places) {
        queue.inside += 1;
        inside += 1;
        return new Taken(key, queue);
      }
      return queue.waiting.size < places * waitingPerPlace && waiting < maxWaiting ? wait(queue) : undefined;
    },
    load: () => ({ inside, waiting }),
  };
}
