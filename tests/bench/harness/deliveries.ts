import type { ArrivalKind, Arrivals } from "./bench.ts";

/** What a variant owed the sink at the end of the run, and what the sink has. */
export interface Delivery {
  readonly variant: string;
  readonly kind: ArrivalKind;
  readonly expected: number;
  readonly arrived: number;
}

const kindsOf = (arrivals: Arrivals) => Object.keys(arrivals) as ArrivalKind[];

/** Adds up what the requests sent so far must leave at the sink. */
export class Expected {
  readonly #totals = new Map<string, Arrivals>();

  add(variant: string, perRequest: Arrivals, requests: number): void {
    const total: Partial<Record<ArrivalKind, number>> = { ...this.of(variant) };
    for (const kind of kindsOf(perRequest)) total[kind] = (total[kind] ?? 0) + (perRequest[kind] ?? 0) * requests;
    this.#totals.set(variant, total);
  }

  of(variant: string): Arrivals {
    return this.#totals.get(variant) ?? {};
  }

  /** Whether spans and logs are there; metrics are totals sent at intervals, and are compared at the end only. */
  hasArrived(variant: string, arrived: Arrivals): boolean {
    const expected = this.of(variant);
    return kindsOf(arrived).every(
      (kind) => kind === "requestDurations" || (arrived[kind] ?? 0) >= (expected[kind] ?? 0),
    );
  }
}

/** Of the kinds that whoever counts can tell: not every one reads what it counts. */
export function deliveriesOf(variant: string, expected: Arrivals, arrived: Arrivals): readonly Delivery[] {
  return kindsOf(arrived).map((kind) => ({
    variant,
    kind,
    expected: expected[kind] ?? 0,
    arrived: arrived[kind] ?? 0,
  }));
}

const names: Readonly<Record<ArrivalKind, string>> = {
  serverSpans: "server spans",
  sqlSpans: "SQL spans",
  accessLogs: "access log records",
  requestDurations: "recordings of http.server.request.duration",
  posts: "posts",
  postedBytes: "bytes of posts",
  records: "records",
};

/** One sentence for each kind that is not exactly what was owed: too many is as wrong as too few. */
export function deliveryFaults(deliveries: readonly Delivery[]): readonly string[] {
  return deliveries
    .filter(({ expected, arrived }) => expected !== arrived)
    .map(({ variant, kind, expected, arrived }) =>
      arrived < expected
        ? `${variant}: ${expected - arrived} of ${expected} ${names[kind]} did not arrive`
        : `${variant}: ${arrived - expected} ${names[kind]} more than the ${expected} requests account for`,
    );
}
