import type { GraphPanel } from "@vitrine/dashboards/model";
import type { Ask } from "../engines/ask.ts";
import { visible } from "../views/format.tsx";
import { drawn } from "../views/missing.tsx";
import { Empty } from "../views/panel.tsx";
import { askInstant, together } from "./ask.ts";
import { layOutGraph } from "./graph-layout.ts";
import { written } from "./units.ts";
import type { View } from "./view.ts";

const maxEdges = 60;
const nodeWidth = 150;
const nodeHeight = 34;

export async function graphContent(ask: Ask, panel: GraphPanel, { asking }: View) {
  const [calls, failed] = panel.queries;
  const answers = together(await Promise.all([calls, failed].map((query) => askInstant(ask, query, asking))));
  return drawn(answers, ([rates = [], shares = []]) => {
    const shareOf = new Map(shares.map(({ labels, value }) => [pairOf(labels), value]));
    const edges = rates
      .filter(({ value }) => value > 0)
      .toSorted((a, b) => b.value - a.value)
      .slice(0, maxEdges)
      .map(({ labels, value }) => ({
        from: visible(labels["client"] ?? "", 40),
        to: visible(labels["server"] ?? "", 40),
        rate: value,
        failed: shareOf.get(pairOf(labels)) ?? 0,
      }));
    return edges.length === 0 ? (
      <Empty>Nobody called anybody in that time.</Empty>
    ) : (
      <Graph edges={edges} unit={panel.unit} />
    );
  });
}

function pairOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([labels["client"], labels["server"]]);
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly rate: number;
  readonly failed: number;
}

function Graph({ edges, unit }: { readonly edges: readonly Edge[]; readonly unit: GraphPanel["unit"] }) {
  const { nodes, width, height } = layOutGraph(edges, { nodeWidth, nodeHeight });
  const told = edges.map(
    ({ from, to, rate, failed }) =>
      `${from} calls ${to} ${written(rate, unit)}${failed > 0 ? `, ${written(failed, "percentunit")} failed` : ""}`,
  );
  return (
    <svg class="graph" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={told.join("; ")}>
      {edges.map(({ from, to, rate, failed }) => {
        const start = nodes.get(from);
        const end = nodes.get(to);
        if (start === undefined || end === undefined) return null;
        const x1 = start.x + nodeWidth;
        const y1 = start.y + nodeHeight / 2;
        const y2 = end.y + nodeHeight / 2;
        const bend = Math.max(40, Math.abs(end.x - x1) / 2);
        return (
          <g class={failed >= 0.05 ? "edge bad" : failed > 0 ? "edge warn" : "edge"}>
            <path d={`M ${x1} ${y1} C ${x1 + bend} ${y1}, ${end.x - bend} ${y2}, ${end.x} ${y2}`} />
            <text x={(x1 + end.x) / 2} y={(y1 + y2) / 2 - 4} text-anchor="middle">
              {written(rate, unit)}
              {failed > 0 ? ` · ${written(failed, "percentunit")} failed` : ""}
            </text>
          </g>
        );
      })}
      {[...nodes].map(([name, { x, y }]) => (
        <g class="node">
          <rect x={x} y={y} width={nodeWidth} height={nodeHeight} rx="4" />
          <text x={x + nodeWidth / 2} y={y + nodeHeight / 2 + 5} text-anchor="middle">
            {name.length > 20 ? `${name.slice(0, 19)}…` : name}
          </text>
        </g>
      ))}
    </svg>
  );
}
