import { join } from "node:path";
import type { LoadResult, LoadSpec } from "../load/load.ts";
import type { Arrivals, Bench, BenchSettings, Prepared, Route, Runtime, Skipped, Variant } from "./bench.ts";
import { type Child, startHelper, startVariant } from "./child-process.ts";
import { type Delivery, deliveriesOf, deliveryFaults, Expected } from "./deliveries.ts";
import type { Measurement } from "./measurement.ts";
import { treeUsage } from "./process-usage.ts";
import { rotated } from "./rotation.ts";

export interface BenchRun {
  readonly variants: readonly Variant[];
  readonly routes: readonly Route[];
  readonly skipped: readonly Skipped[];
  readonly measurements: readonly Measurement[];
  readonly deliveries: readonly Delivery[];
  /** Why the numbers must not be believed; empty when they may be. */
  readonly faults: readonly string[];
  /** What the bench is to reach, beside what it reached. */
  readonly targets: readonly string[];
}

const pollMs = 25;

export interface BenchControl {
  /** Takes a line of progress. */
  readonly say: (line: string) => void;
  /** Ends the run before its next measurement; what was started is stopped all the same. */
  readonly signal: AbortSignal;
}

/** Starts everything a bench needs, measures its variants in alternating rounds, and stops everything again. */
export async function runBench(
  bench: Bench,
  settings: BenchSettings,
  runtime: Runtime,
  control: BenchControl,
): Promise<BenchRun> {
  await using ends = new AsyncDisposableStack();
  const aside = { before: bench.aside ?? [] };
  const sink = await startHelper(bench.sink ?? join(import.meta.dir, "../sink/main.ts"), runtime, aside);
  ends.defer(async () => void (await sink.stop()));
  const load = await startHelper(join(import.meta.dir, "../load/main.ts"), runtime, aside);
  ends.defer(async () => void (await load.stop()));
  const prepared = await bench.prepare({
    runtime,
    settings,
    sinkPid: sink.pid ?? 0,
    otlpEndpoint: (variant) => new URL(variant, sink.url).href,
    own: (close) => ends.defer(async () => void (await close())),
  });
  const session = new Session(settings, sink, load, control);
  ends.defer(() => session.stop());
  const skipped = [...prepared.skipped, ...(await session.start(select(prepared, settings.only), runtime))];
  for (const { variant, reason } of skipped) control.say(`left out: ${variant}: ${reason}`);
  await session.measureAll(prepared.routes);
  return {
    variants: session.variants,
    routes: prepared.routes,
    skipped,
    measurements: session.measurements,
    ...(await session.finish()),
    targets: bench.targets?.(session.measurements) ?? [],
  };
}

/** @throws RangeError when `only` names a variant the bench does not have */
function select(prepared: Prepared, only: readonly string[]): readonly Variant[] {
  const known = new Set(
    [...prepared.variants, ...prepared.skipped.map((skip) => ({ name: skip.variant }))].map((v) => v.name),
  );
  const unknown = only.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new RangeError(`no such variant: ${unknown.join(", ")} (there are ${[...known].join(", ")})`);
  if (only.length === 0) return prepared.variants;
  const wanted = new Set(
    prepared.variants.filter(({ name }) => only.includes(name)).flatMap((v) => [v.name, v.baseline]),
  );
  return prepared.variants.filter(({ name }) => wanted.has(name));
}

class Session {
  readonly #settings: BenchSettings;
  readonly #sink: Child;
  readonly #load: Child;
  readonly #control: BenchControl;
  readonly #running = new Map<Variant, Child>();
  readonly #expected = new Expected();
  readonly #faults: string[] = [];
  #stopped = false;
  readonly measurements: Measurement[] = [];

  constructor(settings: BenchSettings, sink: Child, load: Child, control: BenchControl) {
    this.#control = control;
    this.#settings = settings;
    this.#sink = sink;
    this.#load = load;
  }

  get variants(): readonly Variant[] {
    return [...this.#running.keys()];
  }

  async start(variants: readonly Variant[], runtime: Runtime): Promise<readonly Skipped[]> {
    const skipped: Skipped[] = [];
    for (const variant of variants) {
      // Without its baseline a variant has nothing to be divided by.
      if (skipped.some((skip) => skip.variant === variant.baseline)) {
        skipped.push({ variant: variant.name, reason: `its baseline ${variant.baseline} is left out` });
        continue;
      }
      try {
        this.#running.set(variant, await startVariant(variant, runtime));
      } catch (error) {
        if (variant.mayBeMissing !== true) throw error;
        skipped.push({ variant: variant.name, reason: error instanceof Error ? error.message : "did not start" });
      }
    }
    return skipped;
  }

  async measureAll(routes: readonly Route[]): Promise<void> {
    for (const route of routes) {
      for (const variant of this.#of(route)) await this.#request(variant, route, this.#settings.warmupSeconds);
    }
    for (let round = 0; round < this.#settings.rounds; round += 1) {
      for (const route of routes) {
        for (const variant of rotated(this.#of(route), round)) await this.#measure(variant, route, round);
      }
      this.#control.say(`round ${round + 1} of ${this.#settings.rounds} done`);
    }
  }

  #of(route: Route): readonly Variant[] {
    return this.variants.filter(({ name }) => route.without?.includes(name) !== true);
  }

  async #measure(variant: Variant, route: Route, round: number): Promise<void> {
    const { pid } = this.#child(variant);
    const pids = [...(pid === undefined ? [] : [pid]), ...(variant.beside ?? [])];
    const before = await treeUsage(pids);
    const result = await this.#request(variant, route, this.#settings.seconds);
    const after = await treeUsage(pids);
    const perRequest = (micros: number) => micros / Math.max(1, result.requests);
    this.measurements.push({
      route: route.name,
      variant: variant.name,
      round,
      requests: result.requests,
      requestsPerSecond: result.requests / result.seconds,
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      usage:
        before === undefined || after === undefined
          ? undefined
          : {
              cpuMicros: perRequest(after.cpuMicros - before.cpuMicros),
              residentBytes: after.residentBytes,
              cpuMicrosBy: Object.fromEntries(
                Object.entries(after.cpuMicrosBy).map(([name, micros]) => [
                  name,
                  perRequest(micros - (before.cpuMicrosBy[name] ?? 0)),
                ]),
              ),
            },
    });
  }

  /** Sends load and waits until what it leaves has arrived, so that no variant works for the last one's account. */
  async #request(variant: Variant, route: Route, seconds: number): Promise<LoadResult> {
    this.#control.signal.throwIfAborted();
    const { hostname, port, pathname } = this.#child(variant).url;
    const below = pathname.replace(/\/$/, "");
    const spec: LoadSpec = {
      hostname,
      port: Number(port),
      requests: below === "" ? route.requests : route.requests.map((r) => ({ ...r, path: `${below}${r.path}` })),
      connections: this.#settings.connections,
      seconds,
      maxRequests: Number.MAX_SAFE_INTEGER,
    };
    const response = await fetch(new URL("/run", this.#load.url), {
      method: "POST",
      body: JSON.stringify(spec),
      signal: AbortSignal.timeout((seconds + 60) * 1_000),
    });
    if (!response.ok)
      throw new Error(`${variant.name} ${route.name}: the load generator failed: ${await response.text()}`);
    const result = (await response.json()) as LoadResult;
    for (const [kind, count] of Object.entries(result.failures)) {
      this.#faults.push(`${variant.name} ${route.name}: ${count} × ${kind}`);
    }
    if (variant.exports) {
      this.#expected.add(variant.name, route.leaves, result.accepted);
      await this.#settle(variant);
    }
    return result;
  }

  async #settle(variant: Variant): Promise<void> {
    let last = "";
    let quietSince = performance.now();
    for (;;) {
      const arrived = await this.#arrived(variant);
      if (this.#expected.hasArrived(variant.name, arrived)) return;
      const now = JSON.stringify(arrived);
      if (now !== last) {
        last = now;
        quietSince = performance.now();
      } else if (performance.now() - quietSince > this.#settings.quietMs) return;
      await Bun.sleep(pollMs);
    }
  }

  /** Stops the variants, which makes them send the rest, and compares what arrived with what was asked. */
  async finish(): Promise<Omit<BenchRun, "variants" | "routes" | "skipped" | "measurements" | "targets">> {
    await this.stop();
    const deliveries: Delivery[] = [];
    for (const variant of this.variants.filter((candidate) => candidate.exports)) {
      deliveries.push(...deliveriesOf(variant.name, this.#expected.of(variant.name), await this.#arrived(variant)));
    }
    return { deliveries, faults: [...this.#faults, ...deliveryFaults(deliveries)] };
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await Promise.all(
      [...this.#running].map(async ([variant, child]) => {
        const fault = await child.stop();
        if (fault !== undefined) this.#faults.push(`${variant.name}: ${fault}`);
      }),
    );
  }

  async #arrived(variant: Variant): Promise<Arrivals> {
    if (variant.counts !== undefined) return variant.counts();
    const answer = await fetch(new URL(`/${variant.name}/counts`, this.#sink.url), {
      signal: AbortSignal.timeout(60_000),
    });
    return (await answer.json()) as Arrivals;
  }

  #child(variant: Variant): Child {
    const child = this.#running.get(variant);
    if (child === undefined) throw new Error(`${variant.name} is not running`);
    return child;
  }
}
