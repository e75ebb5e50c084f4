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

/** Part of the journal: what can be stored now. */
export interface Settleable {
  readonly changes: readonly HeardChange[];
  readonly messages: readonly DirectMessage[];
  /** When alerts were last heard of, by key, that Alertmanager speaks of no more: they have ended without a word. */
  readonly over: ReadonlyMap<string, number>;
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
  messages(): readonly DirectMessage[];
  /** Alertmanager spoke of these alerts. */
  heard(keys: readonly string[], at: number): void;
  /** It was answered that everybody knows of them: it will not tell of them again unless they change. */
  answered(keys: readonly string[]): void;
  /**
   * What was answered, what it speaks of `now`, and what it stopped speaking of. The rest it tells again if it still
   * fires, and if not it never tells that it ended: stored, it would fire forever.
   */
  settleable(keys?: readonly string[], now?: number): Settleable;
  /** Forgets what was stored. */
  settled(part: Settleable): void;
  size(): number;
}

/** More than an outage of days; past it nobody could say any more who was told what. */
const maxChanges = 1_000;
/** Characters of labels and annotations. */
const maxText = 16_777_216;
/** Alertmanager repeats what was not taken with every `group_interval`, and it has to be known to be there. */
const silenceMs = 600_000;

interface HeardAlert {
  readonly changes: HeardChange[];
  heardAt: number;
  isAnswered: boolean;
}

export function createJournal(): Journal {
  const alerts = new Map<string, HeardAlert>();
  let messages: DirectMessage[] = [];
  let count = 0;
  let text = 0;

  /** Alerts that share a message are settled together. */
  function withNeighbours(keys: Set<string>): ReadonlySet<string> {
    for (let size = -1; size < keys.size;) {
      size = keys.size;
      for (const { heard } of messages)
        if (heard.some(({ key }) => keys.has(key))) for (const { key } of heard) keys.add(key);
    }
    return keys;
  }

  return {
    hear: (heard) => {
      if (heard.length === 0) return true;
      const length = textOf(heard);
      if (count + heard.length > maxChanges || text + length > maxText) return false;
      text += length;
      count += heard.length;
      for (const one of heard) {
        const alert = alerts.get(one.key) ?? { changes: [], heardAt: one.at, isAnswered: false };
        alert.changes.push(one);
        alert.isAnswered = false;
        alerts.set(one.key, alert);
      }
      return true;
    },
    add: (message) => void messages.push(message),
    known: (key) => {
      const last = alerts.get(key)?.changes.at(-1);
      if (last === undefined) return undefined;
      const { alertId, status, revision } = last.change;
      return { id: alertId, status, revision, toldAt: last.at };
    },
    changesOf: (keys) => [...keys].flatMap((key) => alerts.get(key)?.changes ?? []),
    messages: () => messages,
    heard: (keys, at) => {
      for (const alert of keys.map((key) => alerts.get(key))) if (alert !== undefined) alert.heardAt = at;
    },
    answered: (keys) => {
      for (const alert of keys.map((key) => alerts.get(key))) if (alert !== undefined) alert.isAnswered = true;
    },
    settleable: (keys = [], now = 0) => {
      const spoken = new Set(keys);
      const over = new Map<string, number>();
      for (const [key, { changes, heardAt, isAnswered }] of alerts) {
        const isSilent = !isAnswered && now - heardAt > silenceMs;
        if (isSilent && !spoken.has(key) && changes.at(-1)?.change.status === "firing") over.set(key, heardAt);
        if (isSilent || isAnswered) spoken.add(key);
      }
      const all = withNeighbours(spoken);
      return {
        changes: [...alerts].flatMap(([key, alert]) => (all.has(key) ? alert.changes : [])),
        messages: messages.filter(({ heard }) => heard.some(({ key }) => all.has(key))),
        over,
      };
    },
    settled: (part) => {
      for (const { key } of part.changes) alerts.delete(key);
      messages = messages.filter((message) => !part.messages.includes(message));
      count -= part.changes.length;
      text -= textOf(part.changes);
    },
    size: () => count,
  };
}

function textOf(heard: readonly HeardChange[]): number {
  return heard.reduce((sum, { change }) => sum + JSON.stringify(change).length, 0);
}
