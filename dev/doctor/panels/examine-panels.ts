import type { Scope } from "@vitrine/dashboards/interpolate";
import type { Dashboard, Variable } from "@vitrine/dashboards/model";
import type { Asking } from "@vitrine/dashboards/requests";
import type { Advice } from "../advice.ts";
import { call } from "../call.ts";
import { ask, type AskOptions } from "./ask.ts";
import type { Check, Checked } from "./check.ts";
import { annotationCheck, exemplarChecks, linkChecks, panelChecks, variableCheck } from "./dashboard-checks.ts";
import { lokiRuleChecks, lokiRulesPath, prometheusRuleChecks, prometheusRulesPath } from "./rule-checks.ts";

export interface PanelOptions extends AskOptions {
  readonly dashboards: readonly Dashboard[];
  readonly advice: Pick<Advice, "start">;
  /** How far back the dashboards look, in milliseconds. */
  readonly rangeMs: number;
}

/** About as many points as a panel is wide. */
const points = 300;
/** So many queries at once: few enough that they are not measured waiting for each other. */
const width = 2;

/**
 * Asks every query of every dashboard and every rule, as a browser would that has all of them open.
 *
 * @throws {Error} if the gateway does not answer: a list of all there is would say nothing
 */
export async function examinePanels(options: PanelOptions): Promise<readonly Checked[]> {
  const door = await call(options, `${options.gateway}/health/live`);
  if (door.status !== 200)
    throw new Error(`nothing to ask at ${options.gateway} (${door.status ?? door.text}): ${options.advice.start}`);
  const toMs = options.now();
  const asking: Asking = { range: { fromMs: toMs - options.rangeMs, toMs }, points, scope: {} };
  const askOnce = remembering(limited((check) => ask(options, check)));
  const perDashboard = await all(options.dashboards, (dashboard) => examineDashboard(dashboard, asking, askOnce));
  return [...perDashboard.flat(), ...(await examineRules(options, asking, askOnce))];
}

type Ask = (check: Check) => Promise<Checked>;

async function examineDashboard(dashboard: Dashboard, unset: Asking, askOnce: Ask): Promise<readonly Checked[]> {
  const variables: Checked[] = [];
  const scope: Record<string, string | readonly string[]> = {};
  for (const variable of dashboard.variables) {
    const [checked] = await all(variableCheck(dashboard, variable, { ...unset, scope }), askOnce);
    if (checked !== undefined) variables.push(checked);
    scope[variable.name] = valueOf(variable, checked?.labels ?? {});
  }
  const asking: Asking = { ...unset, scope };
  const annotations = await all(
    dashboard.annotations.map((annotation) => annotationCheck(dashboard, annotation, asking)),
    askOnce,
  );
  const panels = await all(
    dashboard.rows.flatMap((row) => row.panels),
    async (panel) => {
      const queries = await all(panelChecks(dashboard, panel, asking), askOnce);
      // A link is on what is shown: where nothing is, there is nothing to click.
      const shown = queries.find(({ verdict, labels }) => verdict !== "failing" && Object.keys(labels).length > 0);
      const more = [
        ...exemplarChecks(dashboard, panel, asking),
        ...linkChecks(dashboard, panel, shown?.labels ?? {}, asking),
      ];
      return [...queries, ...(await all(more, askOnce))];
    },
  );
  return [...variables, ...annotations, ...panels.flat()];
}

/** All of a list; of a text its example. */
function valueOf(variable: Variable, example: Scope): string | readonly string[] {
  if (variable.kind === "label") return [];
  return variable.example === undefined ? variable.default : (example[variable.example.field] ?? variable.default);
}

async function examineRules(options: PanelOptions, asking: Asking, askOnce: Ask): Promise<readonly Checked[]> {
  const headers = { authorization: `Bearer ${await options.token()}` };
  const lists = await all([prometheusRulesPath, lokiRulesPath], async (path) => {
    const { status, text } = await call(options, options.gateway + path, { headers });
    return { path, status, text };
  });
  const perEngine = await all(lists, async ({ path, status, text }) => {
    if (status !== 200) {
      const detail = `${status ?? "no answer"}: ${text.slice(0, 200)}`;
      return [
        {
          kind: "rule",
          where: path,
          title: "rules",
          path,
          quiet: false,
          verdict: "failing",
          detail,
          ms: 0,
          labels: {},
        } as const,
      ];
    }
    if (path === lokiRulesPath) return await all(lokiRuleChecks(text, asking), askOnce);
    const { checks, judged } = prometheusRuleChecks(text, asking);
    return [...judged, ...(await all(checks, askOnce))];
  });
  return perEngine.flat();
}

/** What several dashboards share is asked once; that quiet ones have nothing to show is as it should be. */
function remembering(fresh: Ask): Ask {
  const asked = new Map<string, Promise<Checked>>();
  return async (check) => {
    const answer = asked.get(check.path) ?? fresh(check);
    asked.set(check.path, answer);
    const { verdict, detail, ms, labels } = await answer;
    return { ...check, verdict: verdict === "empty" && check.quiet ? "ok" : verdict, detail, ms, labels };
  };
}

function limited(ask: Ask): Ask {
  const waiting: (() => void)[] = [];
  let free = width;
  return async (check) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await ask(check);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

function all<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  return Promise.all(items.map((item) => work(item)));
}
