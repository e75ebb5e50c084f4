import type { AlertmanagerWebhook, Tier } from "@vitrine/contracts/alerts";

/** One alert as Alertmanager tells of it. */
export type Incoming = AlertmanagerWebhook["alerts"][number];

/** What is known of an alert that Alertmanager tells of. */
export interface KnownAlert {
  readonly id: string;
  readonly status: Incoming["status"];
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly toldAt: number;
}

/** What a webhook says of one alert that was not known before. */
export interface Change {
  readonly id: string;
  readonly revision: number;
  readonly status: Incoming["status"];
  /** Nothing has changed: it still fires. */
  readonly reminder: boolean;
}

/**
 * Alertmanager repeats a whole group until it is answered, and again every `repeat_interval`: what it repeats within
 * this many milliseconds was told already, later it is a reminder. Below the shortest interval in use, 5 min.
 */
export const retryWindowMs = 240_000;

/**
 * What is new about an alert. Told as firing again after its end it has begun anew: Prometheus was away, so that
 * Alertmanager took it for over.
 */
export function judgeChange(
  known: KnownAlert | undefined,
  { status }: Pick<Incoming, "status">,
  newId: () => string,
): Change | undefined {
  if (known === undefined) return { id: newId(), revision: 1, status, reminder: false };
  if (known.status === status) return undefined;
  return { id: known.id, revision: known.revision + 1, status, reminder: false };
}

/** A reminder that an alert still fires, where it was not told just now. */
export function judgeReminder(known: KnownAlert, now: number): Change | undefined {
  if (known.status !== "firing" || now - known.toldAt < retryWindowMs) return undefined;
  return { id: known.id, revision: known.revision, status: "firing", reminder: true };
}

export function tierOf(labels: Readonly<Record<string, string>>): Tier {
  if (labels["alertname"] === "Watchdog") return "watchdog";
  const severity = labels["severity"];
  return severity === "critical" || severity === "info" ? severity : "warning";
}
