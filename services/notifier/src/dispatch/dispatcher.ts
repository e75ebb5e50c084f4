import { SpanKind, trace } from "@opentelemetry/api";
import type { Database } from "@vitrine/kit/postgres";
import type { Logger } from "@vitrine/kit/log";
import { pause } from "@vitrine/kit/pause";
import { attributes } from "@vitrine/contracts/telemetry";
import type { Events } from "../events.ts";
import type { Send } from "../send/send.ts";
import { lockDue, nextDue, recordAttempt, sealNext } from "../store/deliveries.ts";
import { disableTarget, findTarget } from "../store/targets.ts";
import { nextState } from "./next-state.ts";
import { createTargetHolds } from "./target-holds.ts";

export interface DispatcherOptions {
  readonly database: Database;
  readonly send: Send;
  readonly events: Events;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A value in [0, 1). */
  readonly random: () => number;
  /** Is told that a message waits no more. */
  readonly ended?: (deliveryId: string) => void;
}

export interface Dispatcher {
  /** Sends what is due from now on, until {@link Dispatcher.stop}. */
  start(): void;
  /** Something may be due: looks at once. */
  wake(): void;
  /** Sends what is due now; resolves when nothing is left that is. */
  drain(): Promise<void>;
  /** Takes on nothing more, and waits a little for what is being sent. */
  stop(): Promise<void>;
}

/** Messages sent at once, each to another target; each takes a connection of the pool while it is under way. */
const slots = 4;
/** What another process put into the outbox is found within this many milliseconds. */
const pollMs = 2_000;
const retryMs = 1_000;
const shortestPauseMs = 10;
/** Within the second a resource has to close. */
const graceMs = 700;

/**
 * Works on the outbox. A message is locked in the database while it is sent: a process that dies loses the lock with its
 * connection, and another sends the message again at once, under the same id.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { database, send, events, logger, now, random, ended } = options;
  const holds = createTargetHolds(random);
  const sending = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  const cutOff = new AbortController();
  let wake = new AbortController();
  let running: Promise<void> | undefined;
  /** The database is away, and that has been said. */
  let lost = false;

  function deliver(id: string, targetId: string): Promise<void> {
    return trace
      .getTracer("@vitrine/notifier")
      .startActiveSpan("deliver", { kind: SpanKind.PRODUCER }, async (span) => {
        span.setAttributes({ [attributes.deliveryId]: id, [attributes.targetId]: targetId });
        try {
          await attempt(id, targetId);
        } catch (err) {
          // Whether it was sent cannot be told any more, so it is sent again, but not at once and forever.
          holds.hold(targetId, now());
          logger.warn({ action: "notifier.outbox_failed", err }, "an attempt could not be recorded");
        } finally {
          span.end();
        }
      });
  }

  async function attempt(id: string, targetId: string): Promise<void> {
    const done = await database.transaction(async (tx) => {
      const delivery = await lockDue(tx, id, now());
      const target = delivery === undefined ? undefined : await findTarget(tx, targetId);
      if (delivery === undefined || target === undefined) return undefined;
      const { attempts } = delivery;
      const outcome = await send({ ...delivery, test: false }, target, { attempts, signal: cutOff.signal });
      // Whether it arrived nobody knows: the next process sends it again, as if it had not been tried.
      if (outcome.kind !== "delivered" && cutOff.signal.aborted) return undefined;
      const record = nextState(delivery, outcome, now(), random);
      await recordAttempt(tx, record);
      return { delivery, target, outcome, record };
    });
    if (done === undefined) return;
    const { delivery, target, outcome, record } = done;
    if (outcome.kind === "failed") holds.hold(targetId, now(), outcome.retryAfterMs);
    else holds.release(targetId);
    if (record.state !== "waiting") ended?.(id);
    events.attempted({ delivery, target, record, now: now() });
    // Standard Webhooks: 410 ends the subscription. What still waits is sent once somebody enables the target again.
    if (target.channel === "webhook" && outcome.kind === "refused" && outcome.failure === "gone")
      if (await disableTarget(database, target, new Date(now()))) events.targetGone(target);
  }

  /** Begins to send whatever is due, as far as there are slots. True if nothing is, and nothing was under way. */
  async function fill(): Promise<boolean> {
    while (!stopping.signal.aborted && sending.size < slots) {
      const busy = [...sending.keys()];
      const next = await sealNext(database, now(), [...busy, ...holds.held(now())]);
      if (next === undefined) return busy.length === 0;
      const work = deliver(next.id, next.targetId).finally(() => {
        sending.delete(next.targetId);
        wake.abort();
      });
      sending.set(next.targetId, work);
    }
    return stopping.signal.aborted;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Made before the look: what comes while it lasts must start the next one.
      wake = new AbortController();
      const waking = wake.signal;
      let waitMs = retryMs;
      try {
        await fill();
        waitMs = await untilNext();
        lost = false;
      } catch (err) {
        if (!lost) logger.warn({ action: "notifier.outbox_failed", err }, "the outbox cannot be read; tried again");
        lost = true;
      }
      await pause(waitMs, AbortSignal.any([waking, stopping.signal]));
    }
  }

  /** Milliseconds until something may be due that is not now. */
  async function untilNext(): Promise<number> {
    const due = ((await nextDue(database)) ?? 0) - now();
    const free = holds.untilRelease(now()) ?? pollMs;
    return Math.max(shortestPauseMs, Math.min(pollMs, free, due > 0 ? due : pollMs));
  }

  return {
    start: () => {
      running ??= run();
    },
    wake: () => wake.abort(),
    drain: async () => {
      // What was being sent at the look may have ended since.
      while (!(await fill())) if (sending.size > 0) await Promise.race(sending.values());
    },
    stop: async () => {
      stopping.abort();
      const all = Promise.all([running, ...sending.values()]);
      await Promise.race([all, pause(graceMs, cutOff.signal)]);
      cutOff.abort();
      await all;
    },
  };
}
