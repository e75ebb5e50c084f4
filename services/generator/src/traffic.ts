import type { AttackName } from "./attacks.ts";
import type { Customer } from "./customer.ts";
import type { Events } from "./events.ts";
import type { Gateway } from "./gateway.ts";
import type { Step } from "./plan.ts";
import type { Report } from "./report.ts";

export interface TrafficOptions {
  readonly plan: Iterator<Step>;
  readonly customers: readonly Customer[];
  readonly attack: (name: AttackName) => Promise<boolean>;
  /** False while nothing is played. */
  readonly isPlaying: () => boolean;
  readonly gateway: Pick<Gateway, "isResting">;
  readonly events: Pick<Events, "unanswered">;
  readonly report: Pick<Report, "skipped">;
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

/** At a thousand a second these are one second of answers that do not come. */
const maxInFlight = 1_000;
/** After a pause of the whole process the missed arrivals are let go, not sent in one burst. */
const maxLagMs = 2_000;
const idleMs = 200;

/** Sends what is planned when it is due, whether or not earlier answers have come (open model), within a bound. */
export function createTraffic(options: TrafficOptions): Traffic {
  const { plan, customers, attack, isPlaying, gateway, events, report, now, sleep } = options;
  const inFlight = new Set<Promise<void>>();
  let stopped = false;
  let started = false;

  function dispatch(step: Step): void {
    if (inFlight.size >= maxInFlight || gateway.isResting()) return skip(step);
    const acting: Promise<void> = act(step).finally(() => inFlight.delete(acting));
    inFlight.add(acting);
  }

  async function act(step: Step): Promise<void> {
    const acted = "attack" in step ? attack(step.attack) : customers[step.customer]?.act(step.action);
    if ((await acted) !== true) skip(step);
  }

  function skip(step: Step): void {
    report.skipped();
    events.unanswered("attack" in step ? "attack" : step.action.kind, "skipped");
  }

  async function play(): Promise<void> {
    for (let dueAt = now(); !stopped;) {
      if (!isPlaying()) {
        await sleep(idleMs);
        dueAt = now();
        continue;
      }
      const { value: step, done } = plan.next();
      if (done === true) return;
      dueAt = Math.max(dueAt + step.afterMs, now() - maxLagMs);
      if (dueAt > now()) await sleep(dueAt - now());
      if (!stopped) dispatch(step);
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
