import { toWebhookMessage, type View } from "../message/view.ts";
import type { WebhookSettings } from "../settings.ts";
import type { HttpPost } from "./http.ts";
import { signatureHeaders } from "./signature.ts";

/** A message of Standard Webhooks. */
export function webhookPost(view: View, settings: WebhookSettings, now: number): HttpPost {
  const body = JSON.stringify(toWebhookMessage(view));
  const headers = signatureHeaders(settings.secrets, { id: `msg_${view.id}`, body, now });
  return { url: settings.url, headers, body };
}
