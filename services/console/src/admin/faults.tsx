import { type FaultOverview, faultOverview } from "@vitrine/contracts/faults";
import { type ScenarioOverview, scenarioOverview } from "@vitrine/contracts/scenarios";
import type { PageContext } from "../page-context.ts";
import { count, Data, Time } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Panel } from "../views/panel.tsx";
import { State } from "../views/state.tsx";

type Fault = FaultOverview["items"][number];

/** Every fault there is, where it is on, and a form to switch it. It goes off by itself. */
export async function faultsPanel({ ask }: PageContext) {
  const answer = await ask({ source: "generator", path: "/api/faults", answer: faultOverview });
  return (
    <Panel title="Faults">
      {drawn(answer, ({ items, silent }) => (
        <>
          {silent.map(({ service, reason }) => (
            <p class="small">
              {service} does not tell: <Data text={reason} max={200} />
            </p>
          ))}
          <ul class="rows">
            {items.map((fault) => (
              <FaultRow fault={fault} />
            ))}
          </ul>
        </>
      ))}
    </Panel>
  );
}

function FaultRow({ fault: { name, description, services, parameters, active } }: { readonly fault: Fault }) {
  const path = `/api/faults/${name}`;
  return (
    <li>
      <span class="name">{name}</span>
      {active.length === 0 ? (
        <State kind="idle">off</State>
      ) : (
        <State kind="warn">
          {"on at "}
          {active.map(({ service }) => service).join(", ")}
          {" until "}
          <Time ms={Math.max(...active.map(({ until }) => Date.parse(until)))} day={false} />
        </State>
      )}
      <p class="small full">{description}</p>
      <div class="full forms">
        <form class="filter" data-api={`PUT ${path}`} data-then="reload">
          <fieldset class="checks">
            <legend class="hidden">Where</legend>
            {services.map((service) => (
              <label class="check">
                <input type="checkbox" name="services" value={service} checked data-type="list" /> {service}
              </label>
            ))}
          </fieldset>
          {Object.entries(parameters).map(([parameter, usual]) => (
            <label>
              {parameter}
              <input
                name={`parameters.${parameter}`}
                type="number"
                step="any"
                data-type="number"
                value={String(usual)}
                aria-label={`${parameter} of ${name}`}
              />
            </label>
          ))}
          <label>
            For, seconds
            <input
              name="forSeconds"
              type="number"
              min="1"
              max="3600"
              data-type="number"
              value="120"
              aria-label={`Seconds of ${name}`}
            />
          </label>
          <button>Switch on</button>
        </form>
        {active.length === 0 ? null : (
          <form data-api={`DELETE ${path}`} data-then="reload">
            <button>Switch off</button>
          </form>
        )}
      </div>
    </li>
  );
}

/** What the simulated customers do. */
export async function scenariosPanel({ ask }: PageContext) {
  const answer = await ask({ source: "generator", path: "/api/scenarios", answer: scenarioOverview });
  return (
    <Panel title="Scenarios">
      {drawn(answer, (overview) => (
        <Scenarios overview={overview} />
      ))}
    </Panel>
  );
}

function Scenarios({ overview: { items, current } }: { readonly overview: ScenarioOverview }) {
  return (
    <>
      <p>
        {current === null ? (
          <State kind="idle">no traffic is made</State>
        ) : (
          <State kind={current.name === "calm" ? "good" : "warn"}>
            {current.name}, {count(current.ratePerSecond)} a second
            {current.until === null ? null : (
              <>
                {" until "}
                <Time ms={Date.parse(current.until)} day={false} />
              </>
            )}
          </State>
        )}
      </p>
      <ul class="rows">
        {items.map(({ name, description, ratePerSecond }) => (
          <li>
            <span class="name">{name}</span>
            <form class="end" data-api="PUT /api/scenarios/current" data-then="reload">
              <input type="hidden" name="name" value={name} />
              <button class="quiet">Play</button>
            </form>
            <p class="small full">
              <Data text={description} max={300} /> About {count(ratePerSecond)} a second.
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}
