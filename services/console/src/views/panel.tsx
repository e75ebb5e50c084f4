import type { Child } from "hono/jsx";

interface PanelProps {
  readonly title: string;
  /** Beside the title: a number, a link. */
  readonly aside?: Child;
  readonly children?: Child;
}

/** A part of a page under a heading of its own. */
export function Panel({ title, aside, children }: PanelProps) {
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
        {aside === undefined ? null : <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** What stands where there is nothing to show. */
export function Empty({ children }: { readonly children?: Child }) {
  return <p class="empty">{children}</p>;
}

interface FigureProps {
  readonly label: string;
  readonly value: Child;
  readonly note?: Child;
}

/** One number people look for. */
export function Figure({ label, value, note }: FigureProps) {
  return (
    <div class="figure">
      <dt>{label}</dt>
      <dd>{value}</dd>
      {note === undefined ? null : <dd class="note">{note}</dd>}
    </div>
  );
}
