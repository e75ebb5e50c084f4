import { type Alert, alertPage } from "@vitrine/contracts/alerts";
import type { PageContext } from "../page-context.ts";
import { withParameters } from "../views/filter-form.tsx";
import { Data, duration, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { kindOf, State } from "../views/state.tsx";

export type AlertFilter = Readonly<
  Record<"fingerprint" | "silence" | "name" | "status" | "tier" | "cursor", string | undefined>
>;

/** Alerts from their beginning to their end, as the notifier was told of them. */
export async function historyPanel({ ask }: PageContext, { name, fingerprint, status, tier, cursor }: AlertFilter) {
  const answer = await ask({
    source: "notifier",
    path: "/api/notifier/alerts",
    query: { name, fingerprint, status, tier, cursor, limit: "50" },
    answer: alertPage,
  });
  return (
    <Panel title="History">
      {drawn(answer, ({ items, next }) =>
        items.length === 0 ? (
          <Empty>Nobody was told of any.</Empty>
        ) : (
          <>
            <div class="scroll" data-keep-scroll="">
              <table class="broad">
                <thead>
                  <tr>
                    <th scope="col">Began</th>
                    <th scope="col">Alert</th>
                    <th scope="col">What</th>
                    <th scope="col" class="number">
                      Lasted
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((alert) => (
                    <Row alert={alert} />
                  ))}
                </tbody>
              </table>
            </div>
            {next === null ? null : (
              <p class="links">
                <a href={withParameters("/alerts", { name, fingerprint, status, tier }, { cursor: next })}>
                  Older ones
                </a>
              </p>
            )}
          </>
        ),
      )}
    </Panel>
  );
}

function Row({ alert: { name, tier, summary, startedAt, endedAt } }: { readonly alert: Alert }) {
  return (
    <tr>
      <td>
        <Time ms={Date.parse(startedAt)} />
      </td>
      <td>
        <State kind={endedAt === null ? kindOf(tier) : "idle"}>
          <a href={withParameters("/alerts", {}, { name: name.slice(0, 256) })}>
            <Data text={name} max={100} />
          </a>
        </State>
      </td>
      <td>
        <Data text={summary} max={300} />
      </td>
      <td class="number">{endedAt === null ? "still" : duration(Date.parse(endedAt) - Date.parse(startedAt))}</td>
    </tr>
  );
}
