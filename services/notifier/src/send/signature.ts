import { createHmac } from "node:crypto";
import type { WebhookSettings } from "../settings.ts";

export interface Signed {
  readonly id: string;
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Headers of Standard Webhooks: the id is the same in every attempt, the time is that of this one. Signed with every
 * secret that is active, so that the receiver may change to a new one at any time.
 */
export function signatureHeaders(secrets: WebhookSettings["secrets"], { id, body, now }: Signed) {
  const timestamp = String(Math.floor(now / 1_000));
  const active = secrets.filter(({ until }) => until === null || now < until);
  const signatures = active.map(({ secret }) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
