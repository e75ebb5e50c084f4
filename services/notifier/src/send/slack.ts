import { cut, escapeWithin, headline, line, tierWord, whenText } from "../message/text.ts";
import { maxShown, namedLinks, type View, type ViewedChange } from "../message/view.ts";
import type { ChatSettings } from "../settings.ts";
import type { HttpPost } from "./http.ts";

/** Slack takes 150 in a header, 2,000 in a field. */
const maxHeader = 150;
const maxText = 500;

/** The three characters Slack reads as markup; without them there are no links, mentions or channels in data. */
const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escapeText(text: string, max: number): string {
  return escapeWithin(text, max, (character) => entities[character] ?? character);
}

/** Data stands in plain text only, where Slack formats nothing; `<url|name>` is made of what we checked ourselves. */
function plain(text: string, max = 2_000) {
  return { type: "plain_text", text: escapeText(text, max) || "–", emoji: false } as const;
}

function section(change: ViewedChange) {
  const look =
    change.firstLook.length === 0 ? "" : `\nFirst look:\n${change.firstLook.map((row) => `– ${row}`).join("\n")}`;
  const detail = `${cut(change.description, maxText)}${cut(look, maxText)}`;
  const links = namedLinks(change).map(([name, href]) => `<${href.replaceAll("|", "%7C")}|${name}>`);
  return [
    { type: "divider" },
    {
      type: "section",
      text: plain(line(change.summary, maxText)),
      fields: [plain(`${tierWord(change.tier)} · ${line(change.name, 100)}`), plain(whenText(change))],
    },
    ...(detail === "" ? [] : [{ type: "section", text: plain(detail) }]),
    { type: "context", elements: [{ type: "mrkdwn", text: escapeLinks(links), verbatim: true }] },
  ];
}

/** Addresses are percent-encoded but for `&`, which Slack wants escaped; the angle brackets of links stay. */
function escapeLinks(links: readonly string[]): string {
  return links.join(" · ").replaceAll("&", "&amp;");
}

export function slackPost(view: View, settings: ChatSettings): HttpPost {
  const title = view.test ? "Test message of Vitrine" : headline(view.changes);
  const shown = view.changes.slice(0, maxShown);
  const more = view.changes.length - shown.length;
  const footer = `${more > 0 ? `${more} more are on the console. ` : ""}Message ${view.id}`;
  const body = {
    text: escapeText(title, 2_000),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: "header", text: plain(title, maxHeader) },
      ...shown.flatMap(section),
      { type: "context", elements: [plain(footer)] },
    ],
  };
  return { url: settings.url, body: JSON.stringify(body) };
}
