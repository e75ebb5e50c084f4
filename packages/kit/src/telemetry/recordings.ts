import {
  type Attributes,
  type Counter,
  diag,
  type Histogram as HistogramRecorder,
  type HrTime,
  type Meter,
  type MeterProvider,
  type MetricOptions,
  metrics as api,
  type UpDownCounter,
  ValueType,
} from "@opentelemetry/api";
import type { InstrumentationScope } from "@opentelemetry/core";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricDescriptor,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import { type Series, SeriesSet, wallTime } from "./series.ts";

/**
 * What counters, up-down counters and histograms record, aggregated here and read when metrics are collected. The SDK
 * sorts and stringifies the attributes of each recording, which is most of what a recording costs; what arrives is the
 * same, cumulative from the first recording of each series. Views are not heard, and nothing here has any. Everything
 * else of a meter, the observable instruments and gauges, stays with the SDK.
 *
 * A producer in the sense of the specification (Metrics SDK, MetricProducer): give it to the reader, and start it
 * after the SDK.
 */
export class Recordings implements MetricProducer {
  readonly #scopes = new Map<string, Scope>();

  /** Puts itself before the global provider of meters, for whoever asks from now on. */
  start(): MeterProvider {
    const provider = this.over(api.getMeterProvider());
    api.disable();
    api.setGlobalMeterProvider(provider);
    return provider;
  }

  /** The same provider, except that its counters and histograms are aggregated here. */
  over(provider: MeterProvider): MeterProvider {
    return {
      getMeter: (name, version = "", options = {}) => {
        const { schemaUrl = "" } = options;
        const key = JSON.stringify([name, version, schemaUrl]);
        let scope = this.#scopes.get(key);
        if (scope === undefined) {
          scope = new Scope({ name, version, ...(schemaUrl === "" ? {} : { schemaUrl }) });
          this.#scopes.set(key, scope);
        }
        return scope.over(provider.getMeter(name, version, options));
      },
    };
  }

  async collect(): Promise<CollectionResult> {
    const at = wallTime();
    const scopeMetrics = [];
    for (const scope of this.#scopes.values()) {
      const metrics = scope.read(at);
      if (metrics.length > 0) scopeMetrics.push({ scope: scope.name, metrics });
    }
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
  }
}

interface Instrument extends Counter, UpDownCounter, HistogramRecorder {
  /** Takes a description in place of a shorter one, as the SDK does. */
  describe(description: string): void;
  read(at: HrTime): MetricData;
}

type Kind = "Counter" | "UpDownCounter" | "Histogram";

class Scope {
  readonly name: InstrumentationScope;
  /** Who makes an instrument twice records into one. */
  readonly #instruments = new Map<string, Instrument>();

  constructor(name: InstrumentationScope) {
    this.name = name;
  }

  over(meter: Meter): Meter {
    const own = {
      createCounter: (name: string, options?: MetricOptions) => this.#instrument("Counter", name, options),
      createUpDownCounter: (name: string, options?: MetricOptions) => this.#instrument("UpDownCounter", name, options),
      createHistogram: (name: string, options?: MetricOptions) => this.#instrument("Histogram", name, options),
    };
    // A meter keeps state of its own, so all other methods must still run on it.
    return new Proxy(meter, {
      get: (target, property) => {
        if (Object.hasOwn(own, property)) return Reflect.get(own, property);
        const member: unknown = Reflect.get(target, property);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  }

  read(at: HrTime): MetricData[] {
    return [...this.#instruments.values()].map((instrument) => instrument.read(at)).filter(hasPoints);
  }

  #instrument(kind: Kind, name: string, options: MetricOptions = {}): Instrument {
    const { unit = "", description = "", valueType = ValueType.DOUBLE } = options;
    const key = JSON.stringify([kind, name.toLowerCase(), unit, valueType]);
    const known = this.#instruments.get(key);
    if (known !== undefined) {
      known.describe(description);
      return known;
    }
    const descriptor = { name, unit, description, valueType };
    const made =
      kind === "Histogram"
        ? new HistogramInstrument(descriptor, options.advice?.explicitBucketBoundaries)
        : new SumInstrument(descriptor, kind === "Counter");
    this.#instruments.set(key, made);
    return made;
  }
}

function hasPoints({ dataPoints }: MetricData): boolean {
  return dataPoints.length > 0;
}

const none: Attributes = Object.freeze({});

/** Records by any of the three names the API has for it. */
abstract class Recorder<T> implements Instrument {
  protected descriptor: MetricDescriptor;
  protected readonly series: SeriesSet<T>;
  readonly #signed: boolean;

  constructor(descriptor: MetricDescriptor, signed: boolean, empty: () => T) {
    this.descriptor = descriptor;
    this.#signed = signed;
    this.series = new SeriesSet(empty);
  }

  add(value: number, attributes?: Attributes): void {
    this.record(value, attributes);
  }

  describe(description: string): void {
    if (description.length > this.descriptor.description.length) this.descriptor = { ...this.descriptor, description };
  }

  record(value: number, attributes: Attributes = none): void {
    const isWhole = this.descriptor.valueType === ValueType.INT;
    // No sum comes back from what is no number, nor has an integer on the wire a form for infinity.
    const isOff = !Number.isFinite(value) && (isWhole || Number.isNaN(value));
    if (typeof value !== "number" || isOff || (value < 0 && !this.#signed)) {
      diag.warn(`${this.descriptor.name} cannot record ${value}`);
      return;
    }
    this.aggregate(this.series.of(attributes), isWhole ? Math.trunc(value) : value);
  }

  protected abstract aggregate(series: Series<T>, value: number): void;
  abstract read(at: HrTime): MetricData;
}

class SumInstrument extends Recorder<number> {
  readonly #monotonic: boolean;

  constructor(descriptor: MetricDescriptor, monotonic: boolean) {
    super(descriptor, !monotonic, () => 0);
    this.#monotonic = monotonic;
  }

  protected aggregate(series: Series<number>, value: number): void {
    series.value += value;
  }

  read(endTime: HrTime): MetricData {
    return {
      descriptor: this.descriptor,
      dataPointType: DataPointType.SUM,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      isMonotonic: this.#monotonic,
      dataPoints: this.series
        .all()
        .map(({ attributes, startTime, value }) => ({ attributes, startTime, endTime, value })),
    };
  }
}

interface Distribution {
  readonly counts: number[];
  count: number;
  sum: number;
  min: number;
  max: number;
}

/** What the specification has where an instrument names none (Metrics SDK, explicit bucket histogram aggregation). */
const defaultBoundaries = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];

class HistogramInstrument extends Recorder<Distribution> {
  readonly #boundaries: number[];

  constructor(descriptor: MetricDescriptor, advised: readonly number[] = defaultBoundaries) {
    const boundaries = advised.filter(Number.isFinite).toSorted((a, b) => a - b);
    const empty = () => ({
      counts: Array<number>(boundaries.length + 1).fill(0),
      count: 0,
      sum: 0,
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
    });
    super(descriptor, false, empty);
    this.#boundaries = boundaries;
  }

  protected aggregate({ value: held }: Series<Distribution>, value: number): void {
    let bucket = 0;
    // Few, and most values are small: cheaper than a binary search. A bound belongs to the bucket below it.
    while (bucket < this.#boundaries.length && value > (this.#boundaries[bucket] ?? 0)) bucket += 1;
    held.counts[bucket] = (held.counts[bucket] ?? 0) + 1;
    held.count += 1;
    held.sum += value;
    if (value < held.min) held.min = value;
    if (value > held.max) held.max = value;
  }

  read(endTime: HrTime): MetricData {
    return {
      descriptor: this.descriptor,
      dataPointType: DataPointType.HISTOGRAM,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPoints: this.series
        .all()
        .map(({ attributes, startTime, value }) => ({ attributes, startTime, endTime, value: this.#shown(value) })),
    };
  }

  /** A copy: whoever collects may keep it. */
  #shown({ counts, ...totals }: Distribution): Histogram {
    return { ...totals, buckets: { boundaries: this.#boundaries, counts: [...counts] } };
  }
}
