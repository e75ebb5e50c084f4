import { z } from "zod";
import { type Answer, type Ask, mapAnswer } from "./ask.ts";

const labels = z.record(z.string(), z.string());

const alerts = z.array(
  z.object({
    labels,
    annotations: labels,
    startsAt: z.string(),
    fingerprint: z.string(),
    status: z.object({ state: z.string(), silencedBy: z.array(z.string()) }),
  }),
);

export interface Alert {
  readonly name: string;
  readonly severity: string;
  readonly summary: string;
  readonly startsAtMs: number;
  readonly fingerprint: string;
  readonly silencedBy: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Alertmanager {
  /** What fires now, the worst and then the newest first. */
  firing(): Promise<Answer<readonly Alert[]>>;
}

/** Fires always, to show that alerting works: silence would be the alarm. */
const watchdog = "Watchdog";

const ranks = ["critical", "warning", "info"];

export function createAlertmanager(ask: Ask): Alertmanager {
  return {
    firing: async () => {
      const answer = await ask({
        source: "alertmanager",
        path: "/alertmanager/api/v2/alerts",
        query: { active: "true", inhibited: "false" },
        answer: alerts,
      });
      return mapAnswer(answer, (raw) =>
        raw
          .map(toAlert)
          .filter(({ name }) => name !== watchdog)
          .toSorted((a, b) => rank(a) - rank(b) || b.startsAtMs - a.startsAtMs),
      );
    },
  };
}

function toAlert({ labels, annotations, startsAt, fingerprint, status }: z.output<typeof alerts>[number]): Alert {
  const name = labels["alertname"] ?? "unnamed";
  return {
    name,
    severity: labels["severity"] ?? "info",
    summary: annotations["summary"] ?? name,
    startsAtMs: Date.parse(startsAt),
    fingerprint,
    silencedBy: status.silencedBy,
    labels,
    annotations,
  };
}

function rank({ severity }: Alert): number {
  const at = ranks.indexOf(severity);
  return at === -1 ? ranks.length : at;
}
