import type { TablePanel } from "@vitrine/dashboards/model";
import type { Ask } from "../engines/ask.ts";
import { Data } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty } from "../views/panel.tsx";
import { State } from "../views/state.tsx";
import { askInstant, together } from "./ask.ts";
import { type Labels, placesOf } from "./links.ts";
import { Led } from "./places.tsx";
import { stateOf, stateWords } from "./state-of.ts";
import { written } from "./units.ts";
import type { View } from "./view.ts";

const maxRows = 200;

interface TableRow {
  readonly labels: Labels;
  readonly values: Map<number, number>;
}

export async function tableContent(ask: Ask, panel: TablePanel, view: View) {
  const answers = together(await Promise.all(panel.queries.map((query) => askInstant(ask, query, view.asking))));
  return drawn(answers, (columns) => {
    const rows = new Map<string, TableRow>();
    for (const [at, samples] of columns.entries())
      for (const { labels, value } of samples) {
        const key = JSON.stringify(panel.labels.map(({ name }) => labels[name] ?? ""));
        const row = rows.get(key) ?? { labels, values: new Map<number, number>() };
        row.values.set(at, value);
        rows.set(key, row);
      }
    if (rows.size === 0) return <Empty>Nothing of this was measured in that time.</Empty>;
    const sorted = [...rows.values()].toSorted((a, b) => (b.values.get(0) ?? -1) - (a.values.get(0) ?? -1));
    return <Rows panel={panel} view={view} rows={sorted} />;
  });
}

interface RowsProps {
  readonly panel: TablePanel;
  readonly view: View;
  readonly rows: readonly TableRow[];
}

function Rows({ panel, view, rows }: RowsProps) {
  return (
    <table>
      <thead>
        <tr>
          {panel.labels.map(({ title }) => (
            <th scope="col">{title}</th>
          ))}
          {panel.queries.map(({ legend }) => (
            <th scope="col" class="number">
              {legend}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.slice(0, maxRows).map(({ labels, values }) => (
          <tr>
            {panel.labels.map(({ name }, at) => (
              <td>
                <Led places={at === 0 ? placesOf(panel.links, view, labels) : []}>
                  <Data text={labels[name] ?? ""} max={200} />
                </Led>
              </td>
            ))}
            {panel.queries.map(({ unit }, at) => (
              <td class="number">
                <Cell panel={panel} value={values.get(at)} unit={unit} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface CellProps {
  readonly panel: TablePanel;
  readonly value: number | undefined;
  readonly unit: TablePanel["unit"] | undefined;
}

function Cell({ panel, value, unit }: CellProps) {
  if (value === undefined) return <>–</>;
  const text = written(value, unit ?? panel.unit, panel.decimals);
  // Thresholds are of the panel's own unit.
  const kind = unit === undefined ? stateOf(value, panel.thresholds) : undefined;
  if (kind === undefined || kind === "good") return <>{text}</>;
  return (
    <State kind={kind}>
      {text}
      <span class="hidden"> ({stateWords[kind]})</span>
    </State>
  );
}
