import { type LogEntry, toMs } from "../engines/loki.ts";
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
}

/** Leads to what came before, where a list is full. */
export function Older({ entries, pageSize, path, filter }: OlderProps) {
  const [oldest] = entries;
  if (oldest === undefined || entries.length < pageSize) return null;
  const to = new Date(Math.ceil(toMs(oldest.timeNs))).toISOString();
  return (
    <p class="links">
      <a href={withParameters(path, filter, { to })}>Older ones</a>
    </p>
  );
}
