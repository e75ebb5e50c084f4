import { allowedMethods, type Method, type Route } from "./route.ts";
import { findFaults } from "./validate.ts";

/** What the table has for a path: the row of every method, and the whole of `Allow`. */
export interface PathEntry {
  readonly pattern: string;
  readonly byMethod: ReadonlyMap<string, Route>;
  /** Any of the rows: rows of one path share upstream, telemetry and error form. */
  readonly sample: Route;
  readonly allow: string;
}

export type RouteMatcher = (path: string) => PathEntry | undefined;

interface Node {
  readonly literals: Map<string, Node>;
  any?: Node;
  rest?: PathEntry;
  entry?: PathEntry;
}

/**
 * Makes the matcher of a table. A literal segment wins over `*`, and `*` over `**`, whatever the order of the rows.
 * @throws TypeError naming every fault of the table
 */
export function createMatcher(routes: readonly Route[]): RouteMatcher {
  const faults = findFaults(routes);
  if (faults.length > 0) throw new TypeError(`the route table is not valid:\n  ${faults.join("\n  ")}`);
  const root: Node = { literals: new Map() };
  const exact = new Map<string, PathEntry>();
  for (const [pattern, rows] of Map.groupBy(routes, ({ path }) => path)) {
    const entry = toEntry(pattern, rows);
    if (pattern.includes("*")) insert(root, pattern.slice(1).split("/"), entry);
    else exact.set(pattern, entry);
  }
  // Most requests hit a literal row: one look-up instead of a walk.
  return (path) => exact.get(path) ?? find(root, path.slice(1).split("/"), 0);
}

function toEntry(pattern: string, rows: readonly Route[]): PathEntry {
  const [sample] = rows;
  if (sample === undefined) throw new TypeError(`${pattern} has no rows`);
  const byMethod = new Map<Method, Route>();
  for (const row of rows) for (const method of allowedMethods(row)) byMethod.set(method, row);
  return { pattern, byMethod, sample, allow: [...byMethod.keys()].toSorted().join(", ") };
}

function insert(root: Node, segments: readonly string[], entry: PathEntry): void {
  let node = root;
  for (const segment of segments) {
    if (segment === "**") {
      node.rest = entry;
      return;
    }
    node = segment === "*" ? (node.any ??= { literals: new Map() }) : child(node, segment);
  }
  node.entry = entry;
}

function child(node: Node, segment: string): Node {
  const known = node.literals.get(segment);
  if (known !== undefined) return known;
  const made: Node = { literals: new Map() };
  node.literals.set(segment, made);
  return made;
}

function find(node: Node, segments: readonly string[], at: number): PathEntry | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.entry ?? node.rest;
  const literal = node.literals.get(segment);
  return (
    (literal === undefined ? undefined : find(literal, segments, at + 1)) ??
    (node.any === undefined ? undefined : find(node.any, segments, at + 1)) ??
    node.rest
  );
}
