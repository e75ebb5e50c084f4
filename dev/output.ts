import { type LogLevel, type LogLine, parseLogLine } from "./log-line.ts";
import { processNames } from "./process-names.ts";
import type { ProcessKind } from "./state.ts";

export interface OutputOptions {
  readonly write: (text: string) => void;
  readonly color: boolean;
  /** Whether lines of requests that went well are shown; under simulated traffic they would drown all else. */
  readonly requests: boolean;
}

export interface Output {
  /** A line of the runner itself. */
  say(text: string, level?: "info" | "warn" | "error"): void;
  /** A line a process wrote while it was ready, or was not. */
  line(name: string, kind: ProcessKind, text: string, ready: boolean): void;
  /** Shows what was withheld of a process's last lines, for one that has just crashed. */
  showWithheld(name: string): void;
  /** Text that is laid out already. */
  block(text: string): void;
}

const nameColors = [36, 32, 35, 34, 33, 96, 92, 95, 94, 93, 37];
const levelColors: Readonly<Record<LogLevel, number>> = {
  trace: 90,
  debug: 90,
  info: 0,
  warn: 33,
  error: 31,
  fatal: 31,
};
const width = Math.max(...processNames.map((name) => name.length));
/** Lines kept of each process for the case that it crashes. */
const withheldLines = 8;

/** Writes one line per event, prefixed with who it is from. Everything is in the log files; here is what matters. */
export function createOutput({ write, color, requests }: OutputOptions): Output {
  const paint = (code: number, text: string): string =>
    color && code !== 0 ? `\u001B[${code}m${text}\u001B[0m` : text;
  const prefix = (name: string): string => {
    const index = processNames.findIndex((other) => other === name);
    return `${paint(index < 0 ? 1 : (nameColors[index % nameColors.length] ?? 0), name.padEnd(width))} | `;
  };
  const withheld = new Map<string, string[]>();
  const show = (name: string, line: LogLine): void => write(`${prefix(name)}${render(line, paint)}\n`);

  return {
    say: (text, level = "info") => {
      for (const part of text.split("\n")) write(`${prefix("vitrine")}${paint(levelColors[level], part)}\n`);
    },
    line: (name, kind, text, ready) => {
      const line = parseLogLine(text);
      if (kind === "service" ? requests || !line.routine : ready && isFault(line)) {
        show(name, line);
        return;
      }
      if (kind === "service") return;
      const kept = withheld.get(name) ?? [];
      kept.push(text);
      if (kept.length > withheldLines) kept.shift();
      withheld.set(name, kept);
    },
    showWithheld: (name) => {
      for (const text of withheld.get(name) ?? []) show(name, parseLogLine(text));
      withheld.delete(name);
    },
    block: (text) => write(`${text}\n`),
  };
}

/** Engines and database complain while they start and stop; should they fail, what was withheld is shown. */
function isFault({ level }: LogLine): boolean {
  return level === "error" || level === "fatal";
}

function render(line: LogLine, paint: (code: number, text: string) => string): string {
  const parts: string[] = [];
  if (line.time !== undefined) {
    parts.push(paint(90, line.time), paint(levelColors[line.level ?? "info"], (line.level ?? "").padEnd(5)));
    if (line.action !== undefined) parts.push(paint(1, line.action));
    parts.push(line.message);
  } else parts.push(paint(levelColors[line.level ?? "info"], line.message));
  if (line.requestId !== undefined) parts.push(paint(90, line.requestId));
  return parts.join(" ");
}
