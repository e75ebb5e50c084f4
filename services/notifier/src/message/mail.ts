import { html } from "hono/html";
import { cut, headline, line, tierWord, timeText, whenText } from "./text.ts";
import { maxShown, namedLinks, type View, type ViewedChange } from "./view.ts";

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const maxText = 4_000;
const style = "font:15px/1.5 system-ui,sans-serif;max-width:42rem";

/** A message as mail: the same in plain text and in HTML, in which all data is escaped and nothing is loaded. */
export function mailText(view: View): MailText {
  const title = view.test ? "Test message of Vitrine" : headline(view.changes);
  const shown = view.changes.slice(0, maxShown);
  const more = view.changes.length - shown.length;
  const rest = more > 0 ? `${more} more are on the console.` : "";
  const footer = `${rest} Message ${view.id}, made ${timeText(view.createdAt.toISOString())}.`.trim();
  return {
    subject: `[${tierWord(view.tier)}] ${title}`,
    text: [title, ...shown.map(textPart), footer].join("\n\n"),
    html: htmlPage(title, shown, footer),
  };
}

function htmlPage(title: string, shown: readonly ViewedChange[], footer: string): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
      </head>
      <body style="${style}">
        <h1 style="font-size:1.2rem">${title}</h1>
        ${shown.map(htmlPart)}
        <p style="color:#777;font-size:.85rem">${footer}</p>
      </body>
    </html>`;
  // Nothing in it is waited for, and then it is text.
  return (page as string).trim();
}

function textPart(change: ViewedChange): string {
  const rows = [
    line(change.summary, maxText),
    `${tierWord(change.tier)}: ${line(change.name, 200)}. ${whenText(change)}.`,
    cut(change.description, maxText),
    ...(change.firstLook.length === 0 ? [] : ["First look:", ...change.firstLook.map((row) => `- ${row}`)]),
    ...namedLinks(change).map(([name, href]) => `${name}: ${href}`),
  ];
  return rows.filter((row) => row !== "").join("\n");
}

function htmlPart(change: ViewedChange) {
  return html`<section style="border-left:4px solid #8886;padding-left:.8rem;margin:1.2rem 0">
    <h2 style="font-size:1rem;margin:0">${line(change.summary, maxText)}</h2>
    <p>${tierWord(change.tier)}: ${line(change.name, 200)}. ${whenText(change)}.</p>
    <p style="white-space:pre-wrap">${cut(change.description, maxText)}</p>
    ${
      change.firstLook.length === 0
        ? ""
        : html`<p>First look:</p>
            <ul>
              ${change.firstLook.map((row) => html`<li>${row}</li>`)}
            </ul>`
    }
    <p>${namedLinks(change).map(([name, href]) => html`<a href="${href}">${name}</a> `)}</p>
  </section>`;
}
