import { type Delivery, deliveryPage } from "@vitrine/contracts/alerts";
import type { PageContext } from "../page-context.ts";
import { Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { State, type StateKind } from "../views/state.tsx";

const kinds: Readonly<Record<Delivery["state"], StateKind>> = { delivered: "good", waiting: "warn", dead: "bad" };

interface DeliveriesOptions {
  readonly title: string;
  readonly state?: Delivery["state"];
  readonly empty: string;
}

/** Messages, the newest first. Dead ones can be sent again, under their old ids. */
export async function deliveriesPanel({ ask }: PageContext, { title, state, empty }: DeliveriesOptions) {
  const answer = await ask({
    source: "notifier",
    path: "/api/notifier/deliveries",
    query: { limit: "50", state },
    answer: deliveryPage,
  });
  return (
    <Panel
      title={title}
      aside={
        state === "dead" && answer.ok && answer.value.items.length > 0 ? (
          <form
            data-api="POST /api/notifier/deliveries/replay"
            data-then="reload"
            data-confirm="Send all of them again?"
          >
            <button>Send all again</button>
          </form>
        ) : undefined
      }
    >
      {drawn(answer, ({ items }) =>
        items.length === 0 ? (
          <Empty>{empty}</Empty>
        ) : (
          <ul class="rows">
            {items.map((one) => (
              <DeliveryRow delivery={one} />
            ))}
          </ul>
        ),
      )}
    </Panel>
  );
}

function DeliveryRow({ delivery }: { readonly delivery: Delivery }) {
  const { id, target, state, alerts, attempts, createdAt, nextAttemptAt, failure, failureStatus } = delivery;
  return (
    <li>
      <State kind={kinds[state]}>{state}</State>
      <span class="name">
        {target.name} <small>{target.channel}</small>
      </span>
      <small class="end">
        <Time ms={Date.parse(createdAt)} />
      </small>
      {state === "dead" ? (
        <form data-api={`POST /api/notifier/deliveries/${encodeURIComponent(id)}/replay`} data-then="reload">
          <button class="quiet">Send again</button>
        </form>
      ) : null}
      <p class="small full">
        <Data
          text={alerts.map(({ name, status, reminder }) => `${name} ${reminder ? "still " : ""}${status}`).join(", ")}
          max={300}
        />
      </p>
      {failure === null ? null : (
        <p class="small full">
          {attempts} attempts, {failure}
          {failureStatus === null ? "" : ` (${failureStatus})`}
          {nextAttemptAt === null ? null : (
            <>
              {", next "}
              <Time ms={Date.parse(nextAttemptAt)} day={false} />
            </>
          )}
        </p>
      )}
    </li>
  );
}
