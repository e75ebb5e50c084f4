import type { Alert, WebhookMessage } from "@vitrine/contracts/alerts";
import type { Message, ToldChange } from "../told-change.ts";
import { linksOf } from "./links.ts";
import type { Runbooks } from "./runbooks.ts";

/** A change with all a message says of it, not yet made safe for any channel. */
export interface ViewedChange extends ToldChange {
  readonly summary: string;
  readonly description: string;
  readonly firstLook: readonly string[];
  readonly links: Alert["links"];
}

/** A message as the channels draw it. */
export interface View extends Omit<Message, "changes"> {
  readonly changes: readonly ViewedChange[];
}

/** What people are shown of one message; the rest is a click away. */
export const maxShown = 8;

export async function toView(message: Message, publicUrl: string, runbooks: Runbooks): Promise<View> {
  const changes = await Promise.all(
    message.changes.map(async (change) => ({
      ...change,
      summary: summaryOf(change),
      description: change.annotations["description"] ?? "",
      // Of what is over nobody needs to look for the cause in a hurry.
      firstLook: change.status === "firing" ? await runbooks.firstLook(change.name) : [],
      links: linksOf(publicUrl, { ...change, id: change.alertId }),
    })),
  );
  return { ...message, changes };
}

export function summaryOf({ name, annotations }: Pick<ToldChange, "name" | "annotations">): string {
  return annotations["summary"] ?? name;
}

/** The links of a change under their names, those that lead somewhere. */
export function namedLinks({ links }: ViewedChange): readonly (readonly [name: string, href: string])[] {
  const all = [
    ["Runbook", links.runbook],
    ["Dashboard", links.dashboard],
    [links.console.includes("/requests/") ? "Request" : "Console", links.console],
    ["Silence", links.silence],
  ] as const;
  return all.flatMap(([name, href]) => (href === null ? [] : [[name, href] as const]));
}

export function toWebhookMessage(view: View): WebhookMessage {
  return {
    type: view.test ? "test" : "alerts",
    timestamp: view.createdAt.toISOString(),
    data: {
      tier: view.tier,
      alerts: view.changes.map(({ revision, firstLook, labels, annotations, ...change }) => ({
        ...change,
        id: `${change.alertId}.${revision}`,
        firstLook: [...firstLook],
        labels: { ...labels },
        annotations: { ...annotations },
      })),
    },
  };
}
