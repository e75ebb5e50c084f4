import type { KnownAlert } from "../change.ts";
import type { Known } from "../store/known.ts";
import type { StoredTarget } from "../store/targets.ts";

/** What was last read of the database, kept for when that is away. Settings in it stay sealed. */
export interface Memory {
  /** True once the database was read: all targets are known, not only those of the configuration. */
  isRead(): boolean;
  put(known: Known): void;
  /** Those that are enabled. */
  targets(): readonly StoredTarget[];
  alert(key: string): KnownAlert | undefined;
  /** Whether a message about this alert waits in the outbox for this target. */
  isWaiting(targetId: string, fingerprint: string): boolean;
  /** A message of the outbox waits no more. */
  ended(deliveryId: string): void;
}

/** @param presets the targets of the configuration: all there is to tell until the database was read */
export function createMemory(presets: readonly StoredTarget[]): Memory {
  let known: Known | undefined;
  const ended = new Set<string>();
  const preset = presets.filter(({ enabled }) => enabled);
  return {
    isRead: () => known !== undefined,
    put: (read) => {
      known = read;
      ended.clear();
    },
    targets: () => known?.targets ?? preset,
    alert: (key) => known?.alerts.get(key),
    isWaiting: (targetId, fingerprint) =>
      known?.waiting
        .entries()
        .some(
          ([id, message]) =>
            message.targetId === targetId && message.fingerprints.includes(fingerprint) && !ended.has(id),
        ) ?? false,
    ended: (deliveryId) => void ended.add(deliveryId),
  };
}
