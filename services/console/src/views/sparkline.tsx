type Point = readonly [number, number];

/** The course of a value as a small line, drawn by the server. What it shows is said in words beside it. */
export function Sparkline({ points }: { readonly points: readonly Point[] }) {
  const known = points.filter(([, value]) => Number.isFinite(value));
  const [first] = known;
  const last = known.at(-1);
  if (first === undefined || last === undefined || known.length < 2) return null;
  const top = Math.max(...known.map(([, value]) => value), Number.MIN_VALUE);
  const span = last[0] - first[0];
  const write = ([at, value]: Point) =>
    `${(((at - first[0]) / span) * 100).toFixed(2)},${(30 - (value / top) * 28).toFixed(2)}`;
  return (
    <svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      {unbroken(known).map((part) => (
        <polyline points={part.map(write).join(" ")} vector-effect="non-scaling-stroke" />
      ))}
    </svg>
  );
}

/** Where nothing was measured there is no line: it would tell of values nobody knows. */
function unbroken(points: readonly Point[]): readonly (readonly Point[])[] {
  const step = Math.min(...points.slice(1).map(([at], index) => at - (points[index]?.[0] ?? at)));
  const parts: Point[][] = [];
  for (const point of points) {
    const part = parts.at(-1);
    const before = part?.at(-1);
    if (part === undefined || before === undefined || point[0] - before[0] > step * 2) parts.push([point]);
    else part.push(point);
  }
  return parts;
}
