import type { Variable } from "@vitrine/dashboards/model";
import { valuesPath } from "@vitrine/dashboards/requests";
import { z } from "zod";
import type { Ask } from "../engines/ask.ts";
import { spans } from "../logs/filter.ts";
import { Data } from "../views/format.tsx";
import { fieldOf, refreshes, type View, valuesOf } from "./view.ts";

const labelValues = z.object({ data: z.array(z.string()) });
const maxOffered = 200;
/** The page does not wait longer for what could be chosen; what is chosen it knows. */
const offerTimeoutMs = 500;

/** What each variable can be set to. Nothing for one that nobody tells of now. */
export async function offersOf(ask: Ask, view: View): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  return new Map(
    await Promise.all(
      view.dashboard.variables.map(async (variable) => {
        if (variable.kind === "text") return [variable.name, undefined] as const;
        const path = valuesPath(variable, view.asking);
        const answer = await ask({ source: "prometheus", path, answer: labelValues, timeoutMs: offerTimeoutMs });
        return [variable.name, answer.ok ? answer.value.data.slice(0, maxOffered) : undefined] as const;
      }),
    ),
  );
}

interface ControlsProps {
  readonly view: View;
  readonly offers: ReadonlyMap<string, readonly string[] | undefined>;
}

/** Time, variables and refresh: a plain form, so that the address says it all and can be sent to others. */
export function Controls({ view, offers }: ControlsProps) {
  const fixed = view.last === undefined && (view.from !== undefined || view.to !== undefined);
  return (
    <form class="filter" action={`/dashboards/${view.dashboard.uid}`} id="controls">
      {view.dashboard.variables.map((variable) => (
        <Choice view={view} variable={variable} offered={offers.get(variable.name)} />
      ))}
      <label>
        Time
        <select name="last">
          {Object.keys(spans).map((name) => (
            <option value={name} selected={!fixed && name === (view.last ?? "1h")}>
              last {name}
            </option>
          ))}
          {fixed ? (
            <option value="" selected>
              as chosen
            </option>
          ) : null}
        </select>
      </label>
      {fixed ? (
        <>
          <Moment name="from" label="From" value={view.from} />
          <Moment name="to" label="To" value={view.to} />
        </>
      ) : null}
      <label>
        Refresh
        <select name="refresh">
          {Object.keys(refreshes).map((name) => (
            <option value={name} selected={name === view.refresh}>
              {name === "off" ? "off" : `every ${name}`}
            </option>
          ))}
        </select>
      </label>
      <button>Show</button>
      <a href={`/dashboards/${view.dashboard.uid}`}>Clear</a>
    </form>
  );
}

function Moment({
  name,
  label,
  value,
}: {
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
}) {
  return (
    <label>
      {label}
      <input name={name} value={value ?? ""} maxlength={40} />
    </label>
  );
}

interface ChoiceProps {
  readonly view: View;
  readonly variable: Variable;
  readonly offered: readonly string[] | undefined;
}

function Choice({ view, variable, offered = [] }: ChoiceProps) {
  const chosen = valuesOf(view, variable);
  if (variable.kind === "text")
    return (
      <label>
        {variable.title}
        <input name={fieldOf(variable)} value={chosen[0] ?? ""} maxlength={256} />
      </label>
    );
  const values = [...new Set([...chosen, ...offered])].toSorted();
  return (
    <details class="choices" id={`choose-${variable.name}`}>
      <summary>
        <span class="small">{variable.title}</span>
        <span class="chosen">
          {chosen.length === 0 ? "all" : chosen.length === 1 ? <Data text={chosen.join("")} max={40} /> : chosen.length}
        </span>
      </summary>
      <fieldset>
        <legend class="hidden">{variable.title}</legend>
        {values.length === 0 ? <p class="small">No values are known right now.</p> : null}
        {values.map((value) => (
          <label>
            <input type="checkbox" name={fieldOf(variable)} value={value} checked={chosen.includes(value)} />
            <Data text={value} max={80} />
          </label>
        ))}
      </fieldset>
    </details>
  );
}
