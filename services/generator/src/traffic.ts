import type { Customer } from "./customer.ts";
import type { Events } from "./events.ts";
import type { Gateway } from "./gateway.ts";
import type { Step } from "./plan.ts";

export interface TrafficOptions {
  readonly plan: Iterable<Step>;
  readonly customers: readonly Customer[];
  readonly gateway: Pick<Gateway, "isResting">;
  readonly events: Events;
  /** Milliseconds of any clock that does not jump. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Traffic {
  /** Plays the plan until {@link stop}. */
  start(): void;
  /** Resolves when every request under way has ended. */
  stop(): Promise<void>;
}

const maxInFlight = 64;
/** After a pause of the whole process the missed arrivals are let go, not sent in one burst. */
const maxLagMs = 2_000;

/** Sends what is planned when it is due, whether or not earlier answers have come (open model), within a bound. */
export function createTraffic({ plan, customers, gateway, events, now, sleep }: TrafficOptions): Traffic {
  const inFlight = new Set<Promise<void>>();
  let stopped = false;
  let started = false;

  function dispatch(step: Step): void {
    const customer = customers[step.customer];
    if (customer === undefined || inFlight.size >= maxInFlight || gateway.isResting()) {
      events.unanswered(step.action.kind, "skipped");
      return;
    }
    const acting: Promise<void> = act(customer, step).finally(() => inFlight.delete(acting));
    inFlight.add(acting);
  }

  async function act(customer: Customer, { action }: Step): Promise<void> {
    if (!(await customer.act(action))) events.unanswered(action.kind, "skipped");
  }

  async function play(): Promise<void> {
    let dueAt = now();
    for (const step of plan) {
      dueAt = Math.max(dueAt + step.afterMs, now() - maxLagMs);
      if (dueAt > now()) await sleep(dueAt - now());
      if (stopped) return;
      dispatch(step);
    }
  }

  return {
    start: () => {
      if (!started) void play();
      started = true;
    },
    stop: async () => {
      stopped = true;
      await Promise.all(inFlight);
    },
  };
}
