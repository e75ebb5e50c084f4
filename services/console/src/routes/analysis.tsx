import { analysisRequest } from "@vitrine/contracts/log-analysis";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { type Context, Hono } from "hono";
import { analyse } from "../analysis/analyze.ts";
import { parseText } from "../analysis/parse.ts";
import { analyseSpan } from "../analysis/span.ts";
import { Report } from "../analysis/report-panels.tsx";
import type { Deps } from "../deps.ts";
import { toHtml } from "../live/fragments.ts";
import { createPageContext, type PersonNames, type SignedInEnv } from "../page-context.ts";

/** Lines of a file that are read; the rest of it is left out, and the report says so. */
const maxFileLines = 200_000;

/**
 * `POST /api/console/logs/analyze`: as JSON, which lines of the log store; any other body is the log itself, JSON lines
 * or plain ones. Nothing of it is kept. Answers the report, or as HTML what a page shows of it.
 */
export function analysisRoutes(deps: Deps, names: PersonNames) {
  const contextOf = createPageContext(deps, names);
  return new Hono<AppEnv>().post(
    "/api/console/logs/analyze",
    requireScope(deps.verifier, "telemetry:read"),
    async (c: Context<SignedInEnv>) => {
      const report = await (isJson(c) ? ofSpan(c) : ofFile(c));
      if (c.req.header("accept")?.startsWith("text/html") !== true) return c.json(report);
      return c.html(await toHtml(<Report report={report} />));
    },
  );

  async function ofSpan(c: Context<SignedInEnv>) {
    const parsed = analysisRequest.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) {
      const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join(".") || "json", message }));
      throw new ServiceError("invalid_request", undefined, { fields });
    }
    const { engines } = await contextOf(c);
    const { from, to, ...filter } = parsed.data;
    const range = { fromMs: Date.parse(from), toMs: Date.parse(to) };
    if (range.fromMs >= range.toMs) throw new ServiceError("invalid_request", "from: must be before to");
    const answer = await analyseSpan(engines.loki, filter, range);
    if (answer.ok) return answer.value;
    const { reason } = answer.missing;
    if (reason === "slow") throw new ServiceError("upstream_timeout", undefined, { retryAfterSeconds: 2 });
    throw new ServiceError("upstream_failed", undefined, { retryAfterSeconds: 2 });
  }

  async function ofFile(c: Context<SignedInEnv>) {
    const text = await c.req.text();
    if (text.trim() === "") throw new ServiceError("invalid_request", "the body is the log, and it is empty");
    const lines = await parseText(text);
    return await analyse({ lines: lines.slice(-maxFileLines), complete: lines.length <= maxFileLines });
  }
}

function isJson(c: Context<SignedInEnv>): boolean {
  return /^application\/json\b/i.test(c.req.header("content-type") ?? "");
}
