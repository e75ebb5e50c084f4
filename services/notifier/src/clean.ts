import type { AlertmanagerWebhook } from "@vitrine/contracts/alerts";

/** Characters of a label or annotation; what is longer is cut. */
const maxText = 16_384;
const maxEntries = 100;

/** What PostgreSQL can keep as JSON: no NUL, no half of a surrogate pair, and no novel. */
function cleanText(text: string): string {
  const whole = text.replaceAll("\0", "\u{fffd}");
  return (whole.length > maxText ? `${whole.slice(0, maxText - 1)}…` : whole).toWellFormed();
}

function cleanRecord(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(record)
      .slice(0, maxEntries)
      .map(([name, text]) => [cleanText(name), cleanText(text)]),
  );
}

/** A webhook that can be stored. */
export function cleanWebhook(webhook: AlertmanagerWebhook): AlertmanagerWebhook {
  return {
    ...webhook,
    groupKey: cleanText(webhook.groupKey),
    alerts: webhook.alerts.map((alert) => ({
      ...alert,
      labels: cleanRecord(alert.labels),
      annotations: cleanRecord(alert.annotations),
    })),
  };
}
