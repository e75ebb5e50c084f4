/** The course of a value as a small line, drawn by the server. What it shows is said in words beside it. */
export function Sparkline({ points }: { readonly points: readonly (readonly [number, number])[] }) {
  const known = points.filter(([, value]) => Number.isFinite(value));
  const [first] = known;
  const last = known.at(-1);
  if (first === undefined || last === undefined || known.length < 2) return null;
  const top = Math.max(...known.map(([, value]) => value), Number.MIN_VALUE);
  const span = last[0] - first[0];
  const path = known
    .map(([at, value]) => `${(((at - first[0]) / span) * 100).toFixed(2)},${(30 - (value / top) * 28).toFixed(2)}`)
    .join(" ");
  return (
    <svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={path} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
