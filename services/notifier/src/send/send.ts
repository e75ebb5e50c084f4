import { toView } from "../message/view.ts";
import type { Runbooks } from "../message/runbooks.ts";
import { type Settings, unsealSettings } from "../settings.ts";
import type { StoredTarget } from "../store/targets.ts";
import type { Message } from "../told-change.ts";
import { discordPost } from "./discord.ts";
import { post, type SendContext } from "./http.ts";
import { sendMail } from "./mail.ts";
import { failed, type Outcome } from "./outcome.ts";
import { slackPost } from "./slack.ts";
import { webhookPost } from "./webhook.ts";

export interface SenderOptions extends Omit<SendContext, "attempts" | "signal"> {
  readonly encryptionKey: Uint8Array;
  readonly publicUrl: string;
  readonly runbooks: Runbooks;
}

/** One attempt to bring a message to a target, the first or another; it never throws. */
export type Send = (
  message: Message,
  target: StoredTarget,
  options: Pick<SendContext, "attempts" | "signal">,
) => Promise<Outcome>;

export function createSender({ encryptionKey, publicUrl, runbooks, ...context }: SenderOptions): Send {
  return async (message, target, attempt) => {
    let settings: Settings;
    try {
      settings = unsealSettings(encryptionKey, target.id, target.settings);
    } catch {
      return failed("settings");
    }
    const view = await toView(message, publicUrl, runbooks);
    const sending = { ...context, ...attempt };
    switch (settings.channel) {
      case "webhook":
        return post(webhookPost(view, settings.settings, context.now()), sending);
      case "slack":
        return post(slackPost(view, settings.settings), sending);
      case "discord":
        return post(discordPost(view, settings.settings), sending);
      case "mail":
        return sendMail(view, settings.settings, sending);
    }
  };
}
