import { type LogEntry, toMs } from "../engines/loki.ts";
import type { Range } from "../engines/prometheus.ts";
import { withParameters } from "./filter-form.tsx";
import { count } from "./format.tsx";

/** How many there are, or that there are more than are shown. */
export function howMany(length: number, pageSize: number): string {
  return length === pageSize ? `the newest ${count(pageSize)}` : count(length);
}

interface OlderProps {
  readonly entries: readonly LogEntry[];
  readonly pageSize: number;
  readonly path: string;
  readonly filter: Readonly<Record<string, string | undefined>>;
  readonly range: Range;
}

/** Leads to what came before, over as long a time, where a list is full. */
export function Older({ entries, pageSize, path, filter, range }: OlderProps) {
  const [oldest] = entries;
  if (oldest === undefined || entries.length < pageSize) return null;
  const endMs = Math.ceil(toMs(oldest.timeNs));
  const to = new Date(endMs).toISOString();
  const from = new Date(endMs - (range.toMs - range.fromMs)).toISOString();
  return (
    <p class="links">
      <a href={withParameters(path, filter, { last: undefined, from, to })}>Older ones</a>
    </p>
  );
}
