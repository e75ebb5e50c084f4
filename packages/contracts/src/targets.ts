import { z } from "zod";
import { channels, deliveryFailures, tier } from "./alerts.ts";

/** Whom alerts are told. Secrets go in and never come out. */

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, "a time of day such as 22:00");

export const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

const timeZone = z
  .string()
  .max(64)
  .refine((name) => {
    try {
      new Intl.DateTimeFormat("en", { timeZone: name }).format();
      return true;
    } catch {
      return false;
    }
  }, "a time zone such as Europe/Berlin");

/** When messages of some tiers wait for the end of the quiet time; they are told then, in one message per group. */
export const quietHours = z.strictObject({
  timeZone,
  tiers: z.array(tier).min(1).max(4),
  windows: z
    .array(
      z.strictObject({
        /** On which a window begins. */
        days: z.array(z.enum(weekdays)).min(1).max(7),
        from: clockTime.refine((text) => text !== "24:00", "a time of day before 24:00"),
        /** Up to the next day where it is not after `from`. */
        to: clockTime,
      }),
    )
    .min(1)
    .max(14),
});

export type QuietHours = z.infer<typeof quietHours>;

const targetName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes, at most 63");

const header = /^[^\r\n\0]*$/;
const mailAddress = z.email().max(254);
const matchers = z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/), z.string().max(1_024).regex(header));

const webAddress = z
  .url({ protocol: /^https?$/, message: "an http or https address" })
  .max(2_048)
  .refine((text) => {
    const parsed = URL.parse(text);
    return parsed === null || (parsed.username === "" && parsed.password === "");
  }, "an address without a name and password in it");

/** `whsec_` and 24 to 64 bytes as base64 (Standard Webhooks, "Signature scheme"). */
export const signingSecret = z
  .string()
  .regex(
    /^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    "whsec_ and base64 of 24 to 64 bytes",
  );

const common = {
  name: targetName,
  enabled: z.boolean().default(true),
  /** Of which alerts it is told. The dead man's switch is told only to those who ask for `watchdog`. */
  tiers: z.array(tier).min(1).max(4).default(["critical", "warning"]),
  /** Labels an alert must have with these values. */
  matchers: matchers.default({}),
  /** Whether it is told of the end, too. */
  sendResolved: z.boolean().default(true),
  quietHours: quietHours.nullable().default(null),
} as const;

const webhookSettings = z.strictObject({ url: webAddress, secret: signingSecret });
const chatSettings = z.strictObject({ url: webAddress });
const mailSettings = z.strictObject({
  host: z.hostname().max(253),
  port: z.int().min(1).max(65_535).default(587),
  /** `none` sends in clear and is for allowed internal servers only. */
  security: z.enum(["starttls", "tls", "none"]).default("starttls"),
  user: z.string().max(254).regex(header).optional(),
  password: z.string().min(1).max(1_024).optional(),
  from: mailAddress,
  /** One address: a message is delivered or it is not. */
  to: mailAddress,
});

/** A target as its maker describes it. */
export const newTarget = z.discriminatedUnion("channel", [
  z.strictObject({ ...common, channel: z.literal("webhook"), settings: webhookSettings }),
  z.strictObject({ ...common, channel: z.literal("slack"), settings: chatSettings }),
  z.strictObject({ ...common, channel: z.literal("discord"), settings: chatSettings }),
  z.strictObject({ ...common, channel: z.literal("mail"), settings: mailSettings }),
]);

export type NewTarget = z.infer<typeof newTarget>;

/** What is left out stays as it is; `settings` must be those of the target's channel, all of them. */
export const targetChange = z.strictObject({
  name: targetName.optional(),
  enabled: z.boolean().optional(),
  tiers: z.array(tier).min(1).max(4).optional(),
  matchers: matchers.optional(),
  sendResolved: z.boolean().optional(),
  quietHours: quietHours.nullable().optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
});

export type TargetChange = z.infer<typeof targetChange>;

/** A new signing secret; messages are signed with the old one, too, for as long. */
export const secretRotation = z.strictObject({
  secret: signingSecret,
  overlapHours: z.int().min(0).max(168).default(24),
});

export const target = z.object({
  id: z.uuid(),
  name: targetName,
  channel: z.enum(channels),
  /** Where it is, as far as that is no secret. */
  destination: z.string(),
  enabled: z.boolean(),
  tiers: z.array(tier),
  matchers: z.record(z.string(), z.string()),
  sendResolved: z.boolean(),
  quietHours: quietHours.nullable(),
  /** Set by a file, which alone changes it. */
  preset: z.boolean(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export type Target = z.infer<typeof target>;

export const targetList = z.object({ items: z.array(target) });

/** What became of a test message, sent once. */
export const testOutcome = z.object({
  delivered: z.boolean(),
  failure: z.enum(deliveryFailures).nullable(),
  status: z.int().nullable(),
});
