import type { Span, Trace } from "../engines/jaeger.ts";

/** A span where it stands in the picture. */
export interface WaterfallRow {
  readonly span: Span;
  readonly depth: number;
  /** Shares of the whole, in percent. */
  readonly left: number;
  readonly width: number;
  /** It alone is more than a third of the whole, and waits for nobody else. */
  readonly heavy: boolean;
}

export interface Waterfall {
  readonly rows: readonly WaterfallRow[];
  /** Spans that are not among the rows. */
  readonly hidden: number;
  readonly startUs: number;
  readonly durationUs: number;
}

const maxRows = 400;
/** Narrower bars would not be seen. */
const minWidth = 0.4;

/** Orders spans as their calls went: each below the one that began it, siblings by time. */
export function layOut({ spans }: Trace): Waterfall {
  const startUs = Math.min(...spans.map((span) => span.startUs));
  const endUs = Math.max(...spans.map((span) => span.startUs + span.durationUs));
  const durationUs = Math.max(endUs - startUs, 1);
  const known = new Set(spans.map(({ id }) => id));
  const children = Map.groupBy(spans, ({ parentId }) =>
    parentId !== undefined && known.has(parentId) ? parentId : "",
  );
  const rows: WaterfallRow[] = [];
  const seen = new Set<string>();
  const stack = (children.get("") ?? []).toReversed().map((span) => ({ span, depth: 0 }));
  while (stack.length > 0 && rows.length < maxRows) {
    const next = stack.pop();
    // A span that names itself, or one below it, as its parent would never end.
    if (next === undefined || seen.has(next.span.id)) continue;
    const { span, depth } = next;
    seen.add(span.id);
    const below = children.get(span.id) ?? [];
    rows.push({
      span,
      depth,
      left: ((span.startUs - startUs) / durationUs) * 100,
      width: Math.max((span.durationUs / durationUs) * 100, minWidth),
      heavy: below.length === 0 && span.durationUs > durationUs / 3,
    });
    for (const child of below.toReversed()) stack.push({ span: child, depth: depth + 1 });
  }
  return { rows, hidden: spans.length - rows.length, startUs, durationUs };
}

/** What a span did, in the words of whoever reads a trace: its statement, its call, or its name. */
export function titleOf({ name, attributes, kind }: Span): string {
  const statement = attributes["db.query.text"] ?? attributes["db.statement"];
  if (statement !== undefined) return statement.replace(/\s+/g, " ").trim();
  const target = attributes["url.full"];
  if (kind === "client" && target !== undefined)
    return `${attributes["http.request.method"] ?? name} ${URL.parse(target)?.pathname ?? target}`;
  return name;
}
