import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pause } from "@vitrine/kit/pause";
import { type Context, Hono } from "hono";
import type { Deps } from "../deps.ts";
import type { LogEntry, Loki } from "../engines/loki.ts";
import { toHtml } from "../live/fragments.ts";
import { streamLive } from "../live/sse.ts";
import { createPageContext, type PersonNames, type SignedInEnv } from "../page-context.ts";
import { LogLines } from "../views/log-lines.tsx";
import { MissingNote } from "../views/missing.tsx";
import { logParameters, logQuery } from "./filter.ts";

const everyMs = 1_000;
/** Lines of services that are slow to send arrive among those that were shown already. */
const overlapMs = 10_000;
/** What comes in one look; a flood is told of, not shown. */
const maxLines = 300;

/**
 * New lines as they are written. Loki's own tail leaves out the fields of a line, and so its level and request: it is
 * asked for the newest lines instead, and what was sent already is left out.
 * Events: `lines` (html), `missing` (html) while Loki does not answer.
 */
export function tailRoutes(deps: Deps, names: PersonNames) {
  const contextOf = createPageContext(deps, names);
  return new Hono<AppEnv>().get(
    "/api/console/live/tail",
    requireScope(deps.verifier, "telemetry:read"),
    (c: Context<SignedInEnv>) => {
      const filter = logParameters.safeParse(c.req.query());
      if (!filter.success) throw new ServiceError("invalid_request");
      const stream = { stopping: deps.stopping, untilMs: c.var.claims.exp * 1_000, now: deps.now };
      return streamLive(c, stream, async (sse, over) => {
        const { engines } = await contextOf(c, over);
        const newest = follow(engines.loki, logQuery(filter.data), deps.now);
        while (!over.aborted) {
          const answer = await newest();
          if (!answer.ok) {
            const html = await toHtml(<MissingNote missing={answer.missing} />);
            await sse.writeSSE({ event: "missing", data: JSON.stringify(html) });
          } else if (answer.value.length > 0) {
            const html = await toHtml(<LogLines entries={answer.value.toReversed()} />);
            await sse.writeSSE({ event: "lines", data: JSON.stringify(html) });
          }
          await pause(everyMs, over);
        }
      });
    },
  );
}

/** Each call answers what has come since the one before. */
function follow(loki: Loki, query: string, now: () => number) {
  const fromMs = now();
  let shown = new Set<string>();
  return async () => {
    const toMs = now() + everyMs;
    const answer = await loki.lines(query, { fromMs: Math.max(fromMs, toMs - overlapMs), toMs, limit: maxLines });
    if (!answer.ok) return answer;
    const fresh = answer.value.filter((entry) => !shown.has(keyOf(entry)));
    shown = new Set(answer.value.map(keyOf));
    return { ok: true as const, value: fresh };
  };
}

function keyOf({ timeNs, service, message, fields }: LogEntry): string {
  return `${timeNs} ${service} ${fields["span_id"] ?? ""} ${message}`;
}
