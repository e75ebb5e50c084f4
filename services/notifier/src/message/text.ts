import type { Tier } from "@vitrine/contracts/alerts";
import type { ToldChange } from "../told-change.ts";

/** One line of bounded length: no break, no control or bidirectional override character to fool the eye with. */
export function line(text: string, max: number): string {
  const plain = text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, "")
    .trim();
  return cut(plain, max);
}

/** At most `max` UTF-16 units, none of them half of a pair. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  return `${text
    .slice(0, max - 1)
    .toWellFormed()
    .replace(/\u{fffd}$/u, "")}…`;
}

/** Text of at most `max` units in which `escape` has replaced characters: none of what it puts there is cut in two. */
export function escapeWithin(text: string, max: number, escape: (character: string) => string): string {
  let escaped = "";
  for (const character of text.toWellFormed()) {
    const next = escape(character);
    if (escaped.length + next.length >= max) return `${escaped}…`;
    escaped += next;
  }
  return escaped;
}

const tierWords: Readonly<Record<Tier, string>> = {
  critical: "Critical",
  warning: "Warning",
  info: "Info",
  watchdog: "Watchdog",
};

export function tierWord(tier: Tier): string {
  return tierWords[tier];
}

/** `2026-11-21 10:02 UTC` */
export function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Since when, or from when to when. */
export function whenText({ startedAt, endedAt, reminder }: ToldChange): string {
  if (endedAt === null) return `${reminder ? "Still firing, since" : "Firing since"} ${timeText(startedAt)}`;
  return `Resolved at ${timeText(endedAt)}, after ${durationText(Date.parse(endedAt) - Date.parse(startedAt))}`;
}

function durationText(ms: number): string {
  const minutes = Math.round(Math.max(ms, 0) / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** What a message is about, in one line. */
export function headline(changes: readonly ToldChange[]): string {
  const [first] = changes;
  if (first === undefined) return "Nothing has changed";
  const firing = changes.filter(({ status }) => status === "firing").length;
  const word = firing === 0 ? "Resolved" : changes.every(({ reminder }) => reminder) ? "Still firing" : "Firing";
  const names = [...new Set(changes.map(({ name }) => name))];
  const what = names.length === 1 ? first.name : `${first.name} and ${names.length - 1} more`;
  const count = changes.length === 1 ? "" : ` (${firing} firing, ${changes.length - firing} resolved)`;
  const services = new Set(changes.map(({ labels }) => labels["service_name"]));
  const [service] = services;
  const where = services.size === 1 && service !== undefined ? ` at ${service}` : "";
  return line(`${word}: ${what}${where}${count}`, 200);
}
