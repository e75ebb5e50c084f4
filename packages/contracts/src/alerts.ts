import { z } from "zod";

/** Alerts as they come from Alertmanager, as people read them, and as a webhook gets them. Times are ISO 8601 in UTC. */

/** How bad: the label `severity`, `warning` for what is none of the three, and the dead man's switch by itself. */
export const tiers = ["critical", "warning", "info", "watchdog"] as const;

export const tier = z.enum(tiers);

export type Tier = z.infer<typeof tier>;

const time = z.iso.datetime();
const status = z.enum(["firing", "resolved"]);
const labelName = z.string().min(1).max(128);

const incomingTime = z.iso.datetime({ offset: true });
const incomingLabels = z.record(z.string(), z.string());

/** Body of Alertmanager's webhook, version 4; whatever else it says is passed over. */
export const alertmanagerWebhook = z.object({
  version: z.literal("4"),
  groupKey: z.string(),
  receiver: z.string(),
  alerts: z
    .array(
      z.object({
        status,
        labels: incomingLabels,
        annotations: incomingLabels,
        startsAt: incomingTime,
        endsAt: incomingTime,
        generatorURL: z.string().optional(),
        fingerprint: z.string().regex(/^[0-9a-f]{1,64}$/),
      }),
    )
    .max(10_000),
});

export type AlertmanagerWebhook = z.infer<typeof alertmanagerWebhook>;

/** What the notifier made of a webhook: alerts that changed, and messages put into the outbox. */
export const accepted = z.object({ changed: z.int().nonnegative(), messages: z.int().nonnegative() });

/** Addresses; `null` where there is nothing to open. */
export const alertLinks = z.object({
  runbook: z.string().nullable(),
  dashboard: z.string().nullable(),
  /** The request an alert is about, where it names one; otherwise the alert on the console. */
  console: z.string(),
  silence: z.string(),
});

/** One alert from its start to its end; the same alert that starts anew is another. */
export const alert = z.object({
  id: z.uuid(),
  fingerprint: z.string(),
  name: z.string(),
  tier,
  status,
  summary: z.string(),
  description: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  startedAt: time,
  endedAt: time.nullable(),
  receivedAt: time,
  /** When Alertmanager last spoke of it. */
  lastReceivedAt: time,
  links: alertLinks,
});

export type Alert = z.infer<typeof alert>;

export const alertQuery = {
  status: status.optional(),
  tier: tier.optional(),
  name: z.string().min(1).max(256).optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{1,64}$/)
    .optional(),
} as const;

export const alertPage = z.object({ items: z.array(alert), next: z.string().nullable() });

export const channels = ["webhook", "slack", "discord", "mail"] as const;

export type Channel = (typeof channels)[number];

/** Why an attempt did not deliver: a closed set, safe as a metric label. */
export const deliveryFailures = [
  "address_refused",
  "authentication",
  "gone",
  "rate_limited",
  "redirect",
  "refused",
  "server_error",
  "settings",
  "timeout",
  "tls",
  "unreachable",
] as const;

export type DeliveryFailure = (typeof deliveryFailures)[number];

const deliveryState = z.enum(["waiting", "delivered", "dead"]);

/** One message to one target; its id is the same in every attempt. */
export const delivery = z.object({
  id: z.uuid(),
  target: z.object({ id: z.uuid(), name: z.string(), channel: z.enum(channels) }),
  state: deliveryState,
  tier,
  alerts: z.array(z.object({ alertId: z.uuid(), name: z.string(), status, reminder: z.boolean() })),
  attempts: z.int().nonnegative(),
  createdAt: time,
  /** When it is to be sent: later than it was made where quiet hours hold it back. */
  dueAt: time,
  /** Of a message that waits. */
  nextAttemptAt: time.nullable(),
  endedAt: time.nullable(),
  failure: z.enum(deliveryFailures).nullable(),
  /** Of the last answer, HTTP or SMTP. */
  failureStatus: z.int().nullable(),
});

export type Delivery = z.infer<typeof delivery>;

export const deliveryQuery = {
  state: deliveryState.optional(),
  target: z.uuid().optional(),
  alert: z.uuid().optional(),
} as const;

export const deliveryPage = z.object({ items: z.array(delivery), next: z.string().nullable() });

/** Dead letters that are to be sent again: all of them, or those of one target. */
export const replayRequest = z.strictObject({ target: z.uuid().optional() });

export const replayed = z.object({ replayed: z.int().nonnegative() });

/** Body of a webhook message; its headers are those of Standard Webhooks. */
export const webhookMessage = z.object({
  type: z.enum(["alerts", "test"]),
  timestamp: time,
  data: z.object({
    tier,
    alerts: z.array(
      z.object({
        /** Of this change: the same in every message and attempt that tells it. */
        id: z.string(),
        alertId: z.uuid(),
        fingerprint: z.string(),
        name: z.string(),
        tier,
        status,
        /** Nothing has changed: it still fires. */
        reminder: z.boolean(),
        summary: z.string(),
        description: z.string(),
        startedAt: time,
        endedAt: time.nullable(),
        firstLook: z.array(z.string()),
        labels: z.record(labelName, z.string()),
        annotations: z.record(z.string(), z.string()),
        links: alertLinks,
      }),
    ),
  }),
});

export type WebhookMessage = z.infer<typeof webhookMessage>;
