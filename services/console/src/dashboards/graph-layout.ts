interface Sizes {
  readonly nodeWidth: number;
  readonly nodeHeight: number;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

const gapX = 130;
const gapY = 26;

/** Callers left of what they call, those of one distance from the first callers below each other. Circles are cut. */
export function layOutGraph(
  edges: readonly { readonly from: string; readonly to: string }[],
  { nodeWidth, nodeHeight }: Sizes,
): { readonly nodes: ReadonlyMap<string, Place>; readonly width: number; readonly height: number } {
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))];
  const called = new Set(edges.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const depths = new Map<string, number>();
  const visit = (name: string, depth: number, path: ReadonlySet<string>): void => {
    if (path.has(name) || (depths.get(name) ?? -1) >= depth) return;
    depths.set(name, depth);
    for (const edge of edges) if (edge.from === name) visit(edge.to, depth + 1, new Set(path).add(name));
  };
  const roots = names.filter((name) => !called.has(name));
  for (const root of roots.length > 0 ? roots : names.slice(0, 1)) visit(root, 0, new Set());
  for (const name of names) if (!depths.has(name)) visit(name, 0, new Set());
  const columns = Map.groupBy(names, (name) => depths.get(name) ?? 0);
  const tallest = Math.max(...[...columns.values()].map(({ length }) => length));
  const height = tallest * (nodeHeight + gapY) + gapY;
  const nodes = new Map<string, Place>();
  for (const [depth, members] of columns)
    for (const [row, name] of members.entries())
      nodes.set(name, {
        x: 8 + depth * (nodeWidth + gapX),
        y: (height / (members.length + 1)) * (row + 1) - nodeHeight / 2,
      });
  const deepest = Math.max(...columns.keys());
  return { nodes, width: 16 + deepest * (nodeWidth + gapX) + nodeWidth, height };
}
