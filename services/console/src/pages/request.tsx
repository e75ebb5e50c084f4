import { z } from "zod";
import { livePage } from "../live/live-page.tsx";
import type { PageContext } from "../page-context.ts";
import { createSearch, type FoundLines, type FoundTrace, type Search } from "../request/find.ts";
import { Head, NotFound } from "../request/head.tsx";
import { aroundPanel, EventsPanel, LinesPanel } from "../request/panels.tsx";
import { parseRequestKey, type RequestKey } from "../request/request-id.ts";
import { summarise, type Summary } from "../request/summary.ts";
import { TracePanel } from "../request/trace-panel.tsx";
import { Data } from "../views/format.tsx";
import { within } from "../within.ts";

const parameters = z.object({
  id: z.string().refine((id) => parseRequestKey(id) !== undefined, "is neither a request id nor a trace id"),
});

/** So long one search serves all parts of the page that ask. */
const searchKeptMs = 1_500;
/** From then on nothing more will be told of a request. */
const settledMs = 90_000;
/** What one half tells is drawn after so long, though the other is still silent. */
const patienceMs = 400;

export const requestPage = livePage<z.output<typeof parameters>>({
  name: "request",
  path: "/requests/:id",
  parameters,
  everyMs: 3_000,
  settled: ({ id }, nowMs) => nowMs - (parseRequestKey(id)?.atMs ?? 0) > settledMs,
  fragments: (context, { id }) => {
    const key = parseRequestKey(id) ?? { id, kind: "request" as const, atMs: undefined };
    const search = renewed(context, key);
    const { engines, deps } = context;
    return [
      { id: "head", waitsFor: "Loki and Jaeger", load: async () => await drawHead(search(), key, context) },
      {
        id: "trace",
        waitsFor: "Jaeger",
        load: async () => {
          const found = await search().trace();
          return found.trace === undefined && (await isUnknown(search())) ? null : <TracePanel found={found} />;
        },
      },
      {
        id: "events",
        waitsFor: "Loki and Jaeger",
        load: async () => {
          const { lines, trace, summary } = await soon(search());
          if (summary === undefined) return null;
          return <EventsPanel entries={lines?.entries ?? []} trace={trace?.trace} startMs={summary.startMs} />;
        },
      },
      {
        id: "lines",
        waitsFor: "Loki",
        load: async () => {
          const found = await search().lines();
          if (found.entries.length === 0 && (await isUnknown(search()))) return null;
          return <LinesPanel found={found} startMs={(await soon(search())).summary?.startMs} />;
        },
      },
      {
        id: "around",
        waitsFor: "Prometheus",
        load: async () => {
          const { summary } = await soon(search());
          return summary === undefined ? null : await aroundPanel(engines, summary, deps.now());
        },
      },
    ];
  },
  page: (_, { id }, slot) => ({
    title: "Request",
    lead: (
      <span class="mono">
        <Data text={id} max={128} />
      </span>
    ),
    scripts: ["charts.js"],
    children: (
      <div class="column">
        {slot("head")}
        {slot("trace")}
        {slot("events")}
        {slot("lines")}
        {slot("around")}
      </div>
    ),
  }),
});

function renewed({ engines, deps }: PageContext, key: RequestKey): () => Search {
  let held: { readonly search: Search; readonly madeAtMs: number } | undefined;
  return () => {
    const nowMs = deps.now();
    if (held === undefined || nowMs - held.madeAtMs > searchKeptMs)
      held = { search: createSearch(engines, key, nowMs), madeAtMs: nowMs };
    return held.search;
  };
}

interface Known {
  readonly lines: FoundLines | undefined;
  readonly trace: FoundTrace | undefined;
  readonly summary: Summary | undefined;
}

/** What both halves tell, or the one that tells something soon; all there is if neither does. */
async function soon(search: Search): Promise<Known> {
  const [lines, trace] = await Promise.all([within(search.lines(), patienceMs), within(search.trace(), patienceMs)]);
  const summary = summarise(lines?.entries ?? [], trace?.trace);
  if (summary !== undefined || (lines !== undefined && trace !== undefined)) return { lines, trace, summary };
  const [allLines, allTrace] = await Promise.all([search.lines(), search.trace()]);
  return { lines: allLines, trace: allTrace, summary: summarise(allLines.entries, allTrace.trace) };
}

/** Neither half knows it, which the head tells. */
async function isUnknown(search: Search): Promise<boolean> {
  const [lines, trace] = await Promise.all([search.lines(), search.trace()]);
  return lines.entries.length === 0 && trace.trace === undefined;
}

async function drawHead(search: Search, key: RequestKey, { deps }: PageContext) {
  const { lines, trace, summary } = await soon(search);
  if (summary !== undefined) return <Head summary={summary} grafanaUrl={deps.grafanaUrl} />;
  const nothing = { entries: [], looked: [], trace: undefined };
  return <NotFound requestKey={key} lines={lines ?? nothing} trace={trace ?? nothing} nowMs={deps.now()} />;
}
