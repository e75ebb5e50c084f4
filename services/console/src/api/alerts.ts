import type { firingAlert, MissingSource } from "@vitrine/contracts/console";
import type { z } from "zod";
import type { Alert } from "../engines/alertmanager.ts";
import { type Missing, sources } from "../engines/ask.ts";
import { drawnReason } from "../views/missing.tsx";

export function toFiring(alert: Alert): z.infer<typeof firingAlert> {
  const { name, severity, summary, startsAtMs, fingerprint, silencedBy, labels } = alert;
  return {
    name,
    severity,
    summary,
    startedAt: new Date(startsAtMs).toISOString(),
    fingerprint,
    silenced: silencedBy.length > 0,
    labels: { ...labels },
  };
}

export function toMissing(missing: Missing): MissingSource {
  return { source: sources[missing.source], reason: drawnReason(missing), detail: missing.detail ?? null };
}
