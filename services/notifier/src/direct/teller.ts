import type { AlertmanagerWebhook } from "@vitrine/contracts/alerts";
import { nextState } from "../dispatch/next-state.ts";
import { createTargetHolds } from "../dispatch/target-holds.ts";
import type { Events } from "../events.ts";
import { changesOf, toAlerts } from "../news.ts";
import { dueAt, isToldTo } from "../routing.ts";
import type { Send } from "../send/send.ts";
import { keyText } from "../store/alerts.ts";
import type { StoredTarget } from "../store/targets.ts";
import type { ToldChange } from "../told-change.ts";
import type { DirectMessage, HeardChange, Journal } from "./journal.ts";
import type { Memory } from "./memory.ts";

export interface TellerOptions {
  readonly memory: Memory;
  readonly journal: Journal;
  readonly send: Send;
  readonly events: Events;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A value in [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
}

export interface Told {
  readonly changes: readonly ToldChange[];
  readonly messages: number;
  /** Each change reached somebody, and everybody it is for. */
  readonly isWhole: boolean;
}

export interface Teller {
  /** Tells what is new of a webhook to whom it is for. What it does before its first `await` decides what is new. */
  tell(webhook: AlertmanagerWebhook): Promise<Told>;
  isBusy(): boolean;
  /** Gives up what is being sent. */
  stop(): void;
}

/** Tells alerts without the outbox. Each target is told one message at a time, and a failed one holds back those after it. */
export function createTeller({ memory, journal, send, events, now, random, newId }: TellerOptions): Teller {
  const holds = createTargetHolds(random);
  const stopping = new AbortController();
  const lanes = new Map<string, Promise<number>>();

  function lane(target: StoredTarget, groupKey: string, heard: readonly HeardChange[]): Promise<number> {
    const { name } = target;
    const turn = take(lanes.get(name));
    lanes.set(name, turn);
    return turn;

    async function take(before: Promise<number> | undefined): Promise<number> {
      await Promise.allSettled([before]);
      try {
        makeMessages(target, groupKey, heard);
        return await sendWaiting(target);
      } finally {
        if (lanes.get(name) === turn) lanes.delete(name);
      }
    }
  }

  /** What quiet hours hold back, and what must not get ahead of the outbox, stays with Alertmanager. */
  function makeMessages(target: StoredTarget, groupKey: string, heard: readonly HeardChange[]): void {
    const { id: targetId, name } = target;
    const at = now();
    const fresh = heard.filter(
      ({ change, messaged }) =>
        !messaged.has(name) &&
        isToldTo(target, change) &&
        dueAt(target, change.tier, at) <= at &&
        !memory.isWaiting(targetId, change.fingerprint),
    );
    for (const [tier, ofTier] of Map.groupBy(fresh, ({ change }) => change.tier)) {
      const changes = ofTier.map(({ change }) => change);
      const [createdAt, counts] = [new Date(at), { attempts: 0, tries: 0 }];
      const delivery = { id: newId(), targetId, tier, groupKey, changes, ...counts, createdAt, dueAt: createdAt };
      journal.add({ target: name, heard: ofTier, delivery, record: undefined });
      for (const { messaged } of ofTier) messaged.add(name);
    }
  }

  async function sendWaiting(target: StoredTarget): Promise<number> {
    let delivered = 0;
    for (const message of journal.messages()) {
      if (message.target !== target.name || (message.record?.state ?? "waiting") !== "waiting") continue;
      if (stopping.signal.aborted || holds.held(now()).includes(target.name)) break;
      await attempt(message, target);
      if (message.record?.state === "waiting") break;
      if (message.record?.state === "delivered") delivered += 1;
    }
    return delivered;
  }

  async function attempt(message: DirectMessage, target: StoredTarget): Promise<void> {
    const { delivery } = message;
    const { signal } = stopping;
    const outcome = await send({ ...delivery, test: false }, target, { attempts: delivery.attempts, signal });
    if (outcome.kind !== "delivered" && signal.aborted) return;
    if (outcome.kind === "failed") holds.hold(target.name, now(), outcome.retryAfterMs);
    else holds.release(target.name);
    const record = nextState(delivery, outcome, now(), random);
    message.record = record;
    message.delivery = { ...delivery, attempts: delivery.attempts + 1, tries: delivery.tries + 1 };
    if (record.state === "delivered") for (const { told } of message.heard) told.add(target.name);
    events.attempted({ delivery, target, record, now: now(), isDirect: true });
  }

  return {
    tell: async (webhook) => {
      const at = now();
      const alerts = toAlerts(webhook);
      const { changes } = changesOf(alerts, (key) => journal.known(key) ?? memory.alert(key), at, newId);
      const keys = [...alerts.keys()];
      const isHeard = journal.hear(changes.map((change) => toHeard(change, webhook.groupKey, at)));
      journal.heard(keys, at);
      const targets = memory.targets();
      const heard = journal.changesOf(keys);
      const sent = await Promise.all(targets.map((target) => lane(target, webhook.groupKey, heard)));
      const isWhole = isHeard && memory.isRead() && heard.every((one) => isTold(one, targets));
      if (isWhole) journal.answered(keys);
      const messages = sent.reduce((sum, count) => sum + count, 0);
      return { changes: isHeard ? changes : [], messages, isWhole };
    },
    isBusy: () => lanes.size > 0,
    stop: () => stopping.abort(),
  };
}

function toHeard(change: ToldChange, groupKey: string, at: number): HeardChange {
  const key = keyText(change);
  return { key, change, groupKey, at, messaged: new Set(), told: new Set() };
}

function isTold({ change, told }: HeardChange, targets: readonly StoredTarget[]): boolean {
  return told.size > 0 && targets.every((target) => !isToldTo(target, change) || told.has(target.name));
}
