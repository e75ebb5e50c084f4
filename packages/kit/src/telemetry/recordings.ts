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
import { hrTime, type InstrumentationScope } from "@opentelemetry/core";
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
      getMeter: (name, version, options) => {
        const key = JSON.stringify([name, version, options?.schemaUrl]);
        let scope = this.#scopes.get(key);
        if (scope === undefined) {
          const { schemaUrl } = options ?? {};
          scope = new Scope({
            name,
            ...(version === undefined ? {} : { version }),
            ...(schemaUrl === undefined ? {} : { schemaUrl }),
          });
          this.#scopes.set(key, scope);
        }
        return scope.over(provider.getMeter(name, version, options));
      },
    };
  }

  async collect(): Promise<CollectionResult> {
    const at = hrTime();
    const scopeMetrics = [];
    for (const scope of this.#scopes.values()) {
      const metrics = scope.read(at);
      if (metrics.length > 0) scopeMetrics.push({ scope: scope.name, metrics });
    }
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
  }
}

interface Instrument extends Counter, UpDownCounter, HistogramRecorder {
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
    if (known !== undefined) return known;
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
  protected readonly descriptor: MetricDescriptor;
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

  record(value: number, attributes: Attributes = none): void {
    if (typeof value !== "number" || Number.isNaN(value) || (value < 0 && !this.#signed)) {
      diag.warn(`${this.descriptor.name} cannot record ${value}`);
      return;
    }
    this.aggregate(this.series.of(attributes), this.descriptor.valueType === ValueType.INT ? Math.trunc(value) : value);
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

interface Series<T> {
  readonly attributes: Attributes;
  readonly startTime: HrTime;
  value: T;
}

/** As many as the SDK keeps for one instrument (Metrics SDK, cardinality limits), the last for all that come later. */
const maxSeries = 2_000;
const overflow: Attributes = Object.freeze({ "otel.metric.overflow": true });

class SeriesSet<T> {
  readonly #empty: () => T;
  readonly #series = new Map<string, Series<T>>();
  /** By the attributes in the order in which they came, which is cheap to tell; several may lead to one series. */
  readonly #byOrder = new Map<string, Series<T>>();
  /** By the object itself, where it cannot become another one. */
  readonly #byObject = new WeakMap<Attributes, Series<T>>();

  constructor(empty: () => T) {
    this.#empty = empty;
  }

  all(): Series<T>[] {
    return [...this.#series.values()];
  }

  of(attributes: Attributes): Series<T> {
    const same = this.#byObject.get(attributes);
    if (same !== undefined) return same;
    const key = orderedKey(attributes);
    let series = this.#byOrder.get(key);
    if (series === undefined) {
      series = this.#find(attributes);
      if (this.#byOrder.size < maxSeries) this.#byOrder.set(key, series);
    }
    if (isConstant(attributes)) this.#byObject.set(attributes, series);
    return series;
  }

  #find(attributes: Attributes): Series<T> {
    const key = sortedKey(attributes);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= maxSeries - 1 && attributes !== overflow) return this.#find(overflow);
    const series = { attributes: { ...attributes }, startTime: hrTime(), value: this.#empty() };
    this.#series.set(key, series);
    return series;
  }
}

function isConstant(attributes: Attributes): boolean {
  return Object.isFrozen(attributes) && Object.values(attributes).every((value) => typeof value !== "object");
}

function orderedKey(attributes: Attributes): string {
  let key = "";
  for (const name in attributes) {
    const value = attributes[name];
    // With its length, so that no value can be read as two attributes.
    key +=
      typeof value === "string"
        ? `${name}\u0000${value.length}\u0000${value}`
        : `${name}\u0001${JSON.stringify(value)}`;
  }
  return key;
}

function sortedKey(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
