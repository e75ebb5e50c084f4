import { dashboards } from "@vitrine/dashboards/all";
import type { Alert } from "../engines/alertmanager.ts";
import type { PageContext } from "../page-context.ts";
import { maxFilterLength } from "../logs/filter.ts";
import { withParameters } from "../views/filter-form.tsx";
import { count, Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { kindOf, State } from "../views/state.tsx";
import { runbookOf } from "./runbook.tsx";

const maxAlerts = 200;
/** Rules look back minutes before they fire. */
const beforeMs = 10 * 60_000;

/** What fires now: what it means, where to look, and, for who may, a way to silence it. */
export async function firingPanel(context: PageContext, chosen: string | undefined) {
  const answer = await context.engines.alertmanager.firing();
  const shown = answer.ok ? answer.value.slice(0, maxAlerts) : [];
  const names = [...new Set(shown.map(({ name }) => name))].slice(0, 20);
  const runbooks = new Map(
    await Promise.all(names.map(async (name) => [name, await runbookOf(context.ask, name)] as const)),
  );
  return (
    <Panel title="Firing" aside={answer.ok ? <small>{count(answer.value.length)}</small> : undefined}>
      {drawn(answer, () =>
        shown.length === 0 ? (
          <Empty>Nothing is wrong that anybody has a rule for.</Empty>
        ) : (
          <ul class="lines alerts">
            {shown.map((alert) => (
              <li>
                <details id={`alert-${alert.fingerprint}`} open={alert.fingerprint === chosen}>
                  <Head alert={alert} />
                  <div class="detail">
                    <Labels alert={alert} />
                    {context.person.may("telemetry:admin") ? <Silence alert={alert} /> : null}
                    {runbooks.get(alert.name) ?? null}
                  </div>
                </details>
              </li>
            ))}
          </ul>
        ),
      )}
    </Panel>
  );
}

function Head({ alert: { name, severity, summary, startsAtMs, silencedBy } }: { readonly alert: Alert }) {
  return (
    <summary>
      <span class="when">
        <Time ms={startsAtMs} />
      </span>
      <State kind={kindOf(severity)}>
        <Data text={severity} max={20} />
      </State>
      <span class="from">
        <Data text={name} max={100} />
        {silencedBy.length > 0 ? <small> silenced</small> : null}
      </span>
      <span class="what">
        <Data text={summary} max={300} />
      </span>
    </summary>
  );
}

function Labels({ alert: { labels, annotations, startsAtMs } }: { readonly alert: Alert }) {
  const description = annotations["description"];
  const dashboard = dashboardPath(annotations["dashboard_url"]);
  // Without a service, of all; from a little before it began.
  const about = {
    service: labels["service_name"]?.slice(0, maxFilterLength),
    from: Number.isFinite(startsAtMs) ? new Date(startsAtMs - beforeMs).toISOString() : undefined,
  };
  return (
    <>
      {description === undefined ? null : (
        <p>
          <Data text={description} max={1_000} />
        </p>
      )}
      <p class="links">
        <span>
          since <Time ms={startsAtMs} />
        </span>
        {dashboard === undefined ? null : <a href={dashboard}>Dashboard</a>}
        <a href={withParameters("/logs", about, { level: "warn" })}>Logs since then</a>
        <a href={withParameters("/requests", about, { status: "5xx" })}>Requests that failed since then</a>
      </p>
      <dl class="attributes">
        {Object.entries(labels)
          .filter(([label]) => label !== "alertname" && label !== "severity")
          .slice(0, 30)
          .map(([label, value]) => (
            <>
              <dt>
                <Data text={label} max={80} />
              </dt>
              <dd>
                <Data text={value} max={300} />
              </dd>
            </>
          ))}
      </dl>
    </>
  );
}

/** Rules name the page of Grafana; here it is our own drawing of the same. */
export function dashboardPath(address: string | undefined): string | undefined {
  const [, uid, search = ""] = /\/d\/(vitrine-[a-z-]+)(?:\/[^?]*)?(\?.*)?$/.exec(address ?? "") ?? [];
  return dashboards.some((dashboard) => dashboard.uid === uid) ? `/dashboards/${uid}${search}` : undefined;
}

const hours = [1, 4, 24] as const;

function Silence({ alert }: { readonly alert: Alert }) {
  return (
    <form class="filter" data-api="POST /api/console/silences" data-then="reload">
      <input type="hidden" name="fingerprint" value={alert.fingerprint} />
      <label>
        Silence for
        <select name="forHours" data-type="number">
          {hours.map((one) => (
            <option value={String(one)}>{one === 1 ? "1 hour" : `${one} hours`}</option>
          ))}
        </select>
      </label>
      <label>
        Why
        <input name="comment" required maxlength={500} />
      </label>
      <button>Silence</button>
    </form>
  );
}
