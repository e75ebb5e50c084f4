import type { KnownAlert } from "../change.ts";
import type { AttemptRecord, DueDelivery } from "../store/deliveries.ts";
import type { ToldChange } from "../told-change.ts";

/** A change of an alert that could not be stored, and who was told of it. */
export interface HeardChange {
  /** The alert's, as `keyText` makes it. */
  readonly key: string;
  readonly change: ToldChange;
  readonly groupKey: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Names of targets that a message was made for, delivered or not. */
  readonly messaged: Set<string>;
  /** Names of targets that took it. */
  readonly told: Set<string>;
}

/** A message to one target, as it will stand in the outbox. */
export interface DirectMessage {
  /** By name: the one thing a preset target is known by before the database was read. */
  readonly target: string;
  readonly heard: readonly HeardChange[];
  delivery: DueDelivery;
  /** Of the last attempt. */
  record: AttemptRecord | undefined;
}

/** What happened while the database was away, in the order in which it did, until it is stored. */
export interface Journal {
  /** False where it is full, and then nothing of it was taken. */
  hear(changes: readonly HeardChange[]): boolean;
  add(message: DirectMessage): void;
  /** As the alert was last heard of. */
  known(key: string): KnownAlert | undefined;
  /** Changes of these alerts. */
  changesOf(keys: Iterable<string>): readonly HeardChange[];
  changes(): readonly HeardChange[];
  messages(): readonly DirectMessage[];
  size(): number;
  clear(): void;
}

/** More than an outage of days; past it nobody could say any more who was told what. */
const maxChanges = 1_000;
/** Characters of labels and annotations. */
const maxText = 16_777_216;

export function createJournal(): Journal {
  const alerts = new Map<string, HeardChange[]>();
  const changes: HeardChange[] = [];
  const messages: DirectMessage[] = [];
  let text = 0;
  return {
    hear: (heard) => {
      const length = JSON.stringify(heard.map(({ change }) => change)).length;
      if (heard.length === 0) return true;
      if (changes.length + heard.length > maxChanges || text + length > maxText) return false;
      text += length;
      for (const one of heard) {
        changes.push(one);
        const before = alerts.get(one.key);
        if (before === undefined) alerts.set(one.key, [one]);
        else before.push(one);
      }
      return true;
    },
    add: (message) => void messages.push(message),
    known: (key) => {
      const last = alerts.get(key)?.at(-1);
      if (last === undefined) return undefined;
      const { alertId, status, revision } = last.change;
      return { id: alertId, status, revision, toldAt: last.at };
    },
    changesOf: (keys) => [...keys].flatMap((key) => alerts.get(key) ?? []),
    changes: () => changes,
    messages: () => messages,
    size: () => changes.length,
    clear: () => {
      alerts.clear();
      changes.length = 0;
      messages.length = 0;
      text = 0;
    },
  };
}
