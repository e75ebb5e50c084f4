import type { Tier } from "@vitrine/contracts/alerts";
import { escapeWithin, headline, line, tierWord, whenText } from "../message/text.ts";
import { maxShown, namedLinks, type View, type ViewedChange } from "../message/view.ts";
import type { ChatSettings } from "../settings.ts";
import type { HttpPost } from "./http.ts";

const colours: Readonly<Record<Tier, number>> = {
  critical: 0xc62828,
  warning: 0xef8f00,
  info: 0x1565c0,
  watchdog: 0x607d8b,
};
const resolvedColour = 0x2e7d32;

/** All embeds of a message together may have 6,000 characters. */
const maxPart = 200;
const maxLooks = 3;

/** Everything Markdown or Discord gives a meaning to: formatting, lists, headings, links, mentions, spoilers, times. */
const mark = /[\\`*_{}[\]()<>#+\-.!|~:@/&]/;

function escapeMarkdown(text: string, max: number): string {
  return escapeWithin(text, max, (character) => (mark.test(character) ? `\\${character}` : character));
}

function embed(change: ViewedChange) {
  const look = change.firstLook.map((row) => `• ${escapeMarkdown(row, maxPart)}`);
  const links = namedLinks(change).map(([name, href]) => `[${name}](<${href.replaceAll(">", "%3E")}>)`);
  return {
    title: escapeMarkdown(line(change.summary, maxPart), maxPart),
    description: [escapeMarkdown(change.description, maxPart), ...look.slice(0, maxLooks)]
      .filter((part) => part !== "")
      .join("\n"),
    color: change.status === "firing" ? colours[change.tier] : resolvedColour,
    fields: [
      { name: tierWord(change.tier), value: escapeMarkdown(line(change.name, maxPart), maxPart), inline: true },
      { name: "When", value: whenText(change), inline: true },
      ...linkFields(links),
    ],
  };
}

/** A field's value may have 1,024 characters: whole links only. */
function linkFields(links: readonly string[]) {
  let value = "";
  for (const link of links) if (value.length + link.length < 1_000) value += `${value === "" ? "" : " · "}${link}`;
  return value === "" ? [] : [{ name: "Links", value, inline: false }];
}

/** Characters Discord counts. */
function sizeOf({ title, description, fields }: ReturnType<typeof embed>): number {
  return fields.reduce((sum, { name, value }) => sum + name.length + value.length, title.length + description.length);
}

const maxEmbeds = 5_500;

export function discordPost(view: View, settings: ChatSettings): HttpPost {
  const title = view.test ? "Test message of Vitrine" : headline(view.changes);
  const embeds: ReturnType<typeof embed>[] = [];
  let size = 0;
  for (const change of view.changes.slice(0, maxShown)) {
    const one = embed(change);
    size += sizeOf(one);
    if (size > maxEmbeds) break;
    embeds.push(one);
  }
  const more = view.changes.length - embeds.length;
  const content = `**${escapeMarkdown(title, maxPart)}**${more > 0 ? ` — ${more} more are on the console` : ""}\n-# Message ${view.id}`;
  const url = new URL(settings.url);
  // Then it answers once the message is stored.
  url.searchParams.set("wait", "true");
  return { url: url.href, body: JSON.stringify({ content, embeds, allowed_mentions: { parse: [] } }) };
}
