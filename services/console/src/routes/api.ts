import {
  type alertsNow,
  type HistoryQuery,
  historyQuery,
  type metricHistory,
  summaryQuery,
} from "@vitrine/contracts/console";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import type { z } from "zod";
import { toFiring, toMissing } from "../api/alerts.ts";
import { historyExpression } from "../api/history.ts";
import { summarise } from "../api/summary.ts";
import type { Deps } from "../deps.ts";
import { stepOf } from "../engines/prometheus.ts";
import { createPageContext, type PersonNames } from "../page-context.ts";

const hourMs = 3_600_000;
const maxSpanMs = 366 * 24 * hourMs;

/** The console for scripts: what its pages show, as JSON. */
export function apiRoutes(deps: Deps, names: PersonNames) {
  const contextOf = createPageContext(deps, names);
  const mayRead = requireScope(deps.verifier, "telemetry:read");
  return new Hono<AppEnv>()
    .get("/summary", mayRead, validated("query", summaryQuery), async (c) => {
      const { engines } = await contextOf(c);
      return c.json(await summarise(engines, c.req.valid("query").n, deps.now()));
    })
    .get("/alerts", mayRead, async (c) => {
      const { engines } = await contextOf(c);
      const answer = await engines.alertmanager.firing();
      const now: z.input<typeof alertsNow> = answer.ok
        ? { items: answer.value.map(toFiring), missing: [] }
        : { items: [], missing: [toMissing(answer.missing)] };
      return c.json(now);
    })
    .get("/metrics/history", mayRead, validated("query", historyQuery), async (c) => {
      const query = c.req.valid("query");
      const range = rangeOf(query, deps.now());
      const { engines } = await contextOf(c);
      const answer = await engines.prometheus.range(historyExpression(query), range);
      if (!answer.ok)
        throw new ServiceError(
          answer.missing.reason === "slow" ? "upstream_timeout" : "upstream_failed",
          "Prometheus gave no usable answer",
          { retryAfterSeconds: 2 },
        );
      const history: z.input<typeof metricHistory> = {
        metric: query.metric,
        from: new Date(range.fromMs).toISOString(),
        to: new Date(range.toMs).toISOString(),
        stepSeconds: stepOf(range),
        series: answer.value.map(({ labels, points }) => ({
          labels: { ...labels },
          points: points.map(([at, value]) => [
            new Date(at * 1_000).toISOString(),
            Number.isFinite(value) ? value : null,
          ]),
        })),
      };
      return c.json(history);
    });
}

function rangeOf({ from, to }: HistoryQuery, nowMs: number) {
  const toMs = to === undefined ? nowMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - hourMs : Date.parse(from);
  if (fromMs >= toMs) throw new ServiceError("invalid_request", "from: must be before to");
  if (toMs - fromMs > maxSpanMs) throw new ServiceError("invalid_request", "from: must be within a year of to");
  return { fromMs, toMs };
}
