import { z } from "zod";
import type { PageContext } from "../page-context.ts";
import { Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";

export const silences = z.array(
  z.object({
    id: z.string(),
    status: z.object({ state: z.string() }),
    comment: z.string(),
    createdBy: z.string(),
    startsAt: z.string(),
    endsAt: z.string(),
    matchers: z.array(z.object({ name: z.string(), value: z.string(), isRegex: z.boolean() })),
  }),
);

const maxSilences = 50;

/** What is not told although it may fire. */
export async function silencesPanel({ ask, person }: PageContext) {
  const answer = await ask({ source: "alertmanager", path: "/alertmanager/api/v2/silences", answer: silences });
  return (
    <Panel title="Silences">
      {drawn(answer, (all) => {
        const active = all.filter(({ status }) => status.state !== "expired").slice(0, maxSilences);
        return active.length === 0 ? (
          <Empty>Nothing is silenced.</Empty>
        ) : (
          <ul class="rows">
            {active.map(({ id, comment, createdBy, endsAt, matchers }) => (
              <li>
                <span class="name">
                  <Data text={matchers.find(({ name }) => name === "alertname")?.value ?? "several alerts"} max={100} />
                </span>
                <small>
                  until <Time ms={Date.parse(endsAt)} />
                </small>
                {person.may("telemetry:admin") ? (
                  <form
                    class="end"
                    data-api={`DELETE /alertmanager/api/v2/silence/${encodeURIComponent(id)}`}
                    data-then="reload"
                  >
                    <button class="quiet">End it</button>
                  </form>
                ) : null}
                <p class="small full">
                  <Data text={comment} max={300} /> (<Data text={createdBy} max={64} />)
                </p>
                <p class="small full mono">
                  <Data
                    text={matchers
                      .map(({ name, value, isRegex }) => `${name}${isRegex ? "=~" : "="}${value}`)
                      .join(", ")}
                    max={400}
                  />
                </p>
              </li>
            ))}
          </ul>
        );
      })}
    </Panel>
  );
}
