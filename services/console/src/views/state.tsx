import type { Child } from "hono/jsx";

/** How something is: told by a word and a shape, never by colour alone. */
export type StateKind = "good" | "warn" | "bad" | "idle";

const marks: Readonly<Record<StateKind, string>> = { good: "●", warn: "▲", bad: "■", idle: "○" };

export function State({ kind, children }: { readonly kind: StateKind; readonly children?: Child }) {
  return (
    <span class={`state ${kind}`}>
      <span aria-hidden="true">{marks[kind]}</span> {children}
    </span>
  );
}

const kindOfLevel: Readonly<Record<string, StateKind>> = {
  fatal: "bad",
  critical: "bad",
  error: "bad",
  warn: "warn",
  warning: "warn",
  info: "good",
  debug: "idle",
  trace: "idle",
};

/** Of a log level or the severity of an alert. */
export function kindOf(level: string): StateKind {
  return kindOfLevel[level] ?? "idle";
}

export function kindOfStatus(status: number): StateKind {
  return status >= 500 ? "bad" : status >= 400 ? "warn" : status === 0 ? "idle" : "good";
}
