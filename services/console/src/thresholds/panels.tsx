import type { Threshold, ThresholdList, ThresholdRecord, ThresholdScope } from "@vitrine/contracts/thresholds";
import type { PageContext } from "../page-context.ts";
import { Data, Time } from "../views/format.tsx";
import { MissingNote } from "../views/missing.tsx";
import { Empty, Panel } from "../views/panel.tsx";
import { State } from "../views/state.tsx";
import { measureNow, type Measured } from "./now.ts";

/** What each threshold is, what is measured now, and forms to change it. */
export async function thresholdsPanel({ deps, engines, person }: PageContext) {
  const [list, measured] = await Promise.all([read(deps.thresholds, person.id), measureNow(engines)]);
  if (list === undefined) return away;
  const now = measured.ok ? measured.value : new Map<string, Measured>();
  return (
    <Panel title="Thresholds">
      {measured.ok ? null : <MissingNote missing={measured.missing} what="What is measured now" />}
      <ul class="rows thresholds">
        {list.items.map((threshold) => (
          <li>
            <Row threshold={threshold} measured={now.get(threshold.name)} />
            <div class="full forms">
              <Change threshold={threshold} scope="own" />
              {person.may("alerts:admin") ? <Change threshold={threshold} scope="everyone" /> : null}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

async function read(thresholds: PageContext["deps"]["thresholds"], person: string): Promise<ThresholdList | undefined> {
  try {
    return await thresholds.list(person);
  } catch {
    return undefined;
  }
}

const away = (
  <Panel title="Thresholds">
    <p class="missing">
      <b>PostgreSQL</b> cannot be reached. Alerts go on with the thresholds they were told last.
    </p>
  </Panel>
);

interface RowProps {
  readonly threshold: Threshold;
  readonly measured: Measured | undefined;
}

function Row({ threshold, measured }: RowProps) {
  const { title, description, unit, alerts, everyone, own, default: usual } = threshold;
  const holds = everyone ?? usual;
  return (
    <>
      <span class="name">
        {title}
        <small>
          {" "}
          {alerts.map((alert) => (
            <a href={`/alerts?name=${alert}`}>{alert} </a>
          ))}
        </small>
      </span>
      <span class="end">
        {measured === undefined ? (
          <State kind="idle">nothing measured</State>
        ) : (
          <State kind={measured.value > holds ? "bad" : own !== null && measured.value > own ? "warn" : "good"}>
            now {inUnit(Number(measured.value.toPrecision(3)), unit)}
            {measured.where === "" ? null : (
              <>
                , <Data text={measured.where} max={40} />
              </>
            )}
            {measured.value > holds
              ? ", above what alerts allow"
              : own !== null && measured.value > own
                ? ", above your own"
                : ""}
          </State>
        )}
      </span>
      <p class="small full">
        {description} Alerts above <b>{inUnit(holds, unit)}</b>
        {everyone === null ? " (usual)" : ` (usual: ${inUnit(usual, unit)})`}
        {own === null ? "" : `, yours ${inUnit(own, unit)}`}.
      </p>
    </>
  );
}

function Change({ threshold, scope }: { readonly threshold: Threshold; readonly scope: ThresholdScope }) {
  const { name, title, unit, min, max, everyone, own, default: usual } = threshold;
  const { words, scale } = entryUnits[unit];
  const entered = (one: number) => String(Number((one / scale).toPrecision(12)));
  const value = scope === "own" ? own : everyone;
  const whose = scope === "own" ? "For your pages" : "For everyone";
  return (
    <div class="change">
      <form data-api="POST /api/console/thresholds" data-then="reload">
        <input type="hidden" name="name" value={name} />
        <input type="hidden" name="scope" value={scope} />
        <label>
          {whose}, {words}
          <input
            name="value"
            type="number"
            data-type="number"
            data-scale={String(scale)}
            required
            min={entered(min)}
            max={entered(max)}
            step="any"
            value={value === null ? "" : entered(value)}
            placeholder={entered(everyone ?? usual)}
            aria-label={`${title}, ${whose.toLowerCase()}, ${words}`}
            id={`${name}-${scope}`}
          />
        </label>
        <button>Set</button>
      </form>
      {value === null ? null : (
        <form data-api="POST /api/console/thresholds" data-then="reload">
          <input type="hidden" name="name" value={name} />
          <input type="hidden" name="scope" value={scope} />
          <input type="hidden" name="value" value="null" data-type="json" />
          <button class="quiet">Take it back</button>
        </form>
      )}
    </div>
  );
}

/** People enter values as they read them; `scale` makes of one of them one of the threshold's own unit. */
const entryUnits: Readonly<Record<Threshold["unit"], { readonly words: string; readonly scale: number }>> = {
  ratio: { words: "%", scale: 0.01 },
  seconds: { words: "seconds", scale: 1 },
  bytes: { words: "MiB", scale: 1_048_576 },
  per_minute: { words: "per minute", scale: 1 },
  processors: { words: "processors", scale: 1 },
};

const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

function inUnit(value: number, unit: Threshold["unit"]): string {
  if (!Number.isFinite(value)) return "–";
  switch (unit) {
    case "ratio":
      return `${number.format(value * 100)} %`;
    case "seconds":
      return `${number.format(value)} s`;
    case "bytes":
      return `${number.format(value / 1_048_576)} MiB`;
    case "per_minute":
      return `${number.format(value)} a minute`;
    case "processors":
      return number.format(value);
    default:
      return unit satisfies never;
  }
}

/** Who changed what: everyone's, and one's own. */
export async function changesPanel({ deps, person }: PageContext) {
  const list = await read(deps.thresholds, person.id);
  if (list === undefined) return null;
  const units = new Map(list.items.map(({ name, title, unit }) => [name, { title, unit }]));
  const told = (value: number | null, { name }: ThresholdRecord) =>
    value === null ? "usual" : inUnit(value, units.get(name)?.unit ?? "processors");
  return (
    <Panel title="Changes">
      {list.history.length === 0 ? (
        <Empty>Nobody has changed any.</Empty>
      ) : (
        <div class="scroll" data-keep-scroll="">
          <table class="broad">
            <thead>
              <tr>
                {["When", "Threshold", "For", "Before", "After", "By"].map((title) => (
                  <th scope="col">{title}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {list.history.map((record) => (
                <tr>
                  <td>
                    <Time ms={Date.parse(record.changedAt)} />
                  </td>
                  <td>{units.get(record.name)?.title ?? record.name}</td>
                  <td>{record.scope === "own" ? "you" : "everyone"}</td>
                  <td>{told(record.before, record)}</td>
                  <td>{told(record.after, record)}</td>
                  <td>
                    <Data text={record.changedBy} max={64} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
