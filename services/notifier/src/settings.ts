import type { NewTarget } from "@vitrine/contracts/targets";
import { newTarget, signingSecret } from "@vitrine/contracts/targets";
import { seal, unseal } from "@vitrine/kit/seal";
import { z } from "zod";

type SettingsOf<C extends NewTarget["channel"]> = Extract<NewTarget, { readonly channel: C }>["settings"];

export type ChatSettings = SettingsOf<"slack">;
export type MailSettings = SettingsOf<"mail">;

/** The newest secret first; an older one signs, too, until its time. */
const webhookSettings = z.object({
  url: z.string(),
  secrets: z
    .array(z.object({ secret: signingSecret, until: z.number().nullable() }))
    .min(1)
    .max(2),
});

export type WebhookSettings = z.infer<typeof webhookSettings>;

/** Where a target is and what it takes to get in, as it is kept: sealed. */
export type Settings =
  | { readonly channel: "webhook"; readonly settings: WebhookSettings }
  | { readonly channel: "slack" | "discord"; readonly settings: ChatSettings }
  | { readonly channel: "mail"; readonly settings: MailSettings };

export function toSettings(target: Pick<NewTarget, "channel" | "settings">): Settings {
  const one = target as NewTarget;
  switch (one.channel) {
    case "webhook":
      return {
        channel: "webhook",
        settings: { url: one.settings.url, secrets: [{ secret: one.settings.secret, until: null }] },
      };
    case "slack":
    case "discord":
      return { channel: one.channel, settings: one.settings };
    case "mail":
      return { channel: "mail", settings: one.settings };
  }
}

/** The settings with another secret in front; the one before it signs, too, until `until`. */
export function rotated(settings: WebhookSettings, secret: string, until: number): WebhookSettings {
  const [current] = settings.secrets;
  return { ...settings, secrets: [{ secret, until: null }, ...(current === undefined ? [] : [{ ...current, until }])] };
}

/** What may be told of where a target is: the path of a web address is often the secret itself. */
export function destinationOf({ channel, settings }: Settings): string {
  return channel === "mail" ? `${settings.to} by ${settings.host}` : new URL(settings.url).origin;
}

export function sealSettings(key: Uint8Array, id: string, settings: Settings): Uint8Array {
  return seal(key, JSON.stringify(settings), contextOf(id));
}

/** @throws SealError where the key is another than the settings were sealed with */
export function unsealSettings(key: Uint8Array, id: string, sealed: Uint8Array): Settings {
  return JSON.parse(unseal(key, sealed, contextOf(id))) as Settings;
}

function contextOf(id: string): string {
  return `target ${id}`;
}

const shapes = new Map(newTarget.options.map((option) => [option.shape.channel.value, option.shape.settings]));

/** Settings of a channel as they arrive, checked; `undefined` with what is wrong with them otherwise. */
export function parseSettings(channel: NewTarget["channel"], settings: unknown) {
  const shape = shapes.get(channel);
  if (shape === undefined) throw new Error(`${channel} has no settings`);
  return z.object({ settings: shape }).safeParse({ settings });
}
