import type { Attributes, Meter, MeterProvider, MetricOptions, UpDownCounter } from "@opentelemetry/api";

/** Below what the SDK keeps per instrument, so that it need not fold any; past it, the rest is one series here. */
const maxSeries = 1_900;
const overflow: Attributes = { "otel.metric.overflow": true };

interface Series {
  readonly attributes: Attributes;
  value: number;
}

/**
 * The same provider, except that its up-down counters are summed here and read when metrics are collected. The SDK
 * sorts and stringifies the attributes of each recording, and a pool of connections records six times per query; what
 * arrives is the same: name, unit, attributes, values.
 */
export function withSummedCounters(provider: MeterProvider): MeterProvider {
  return {
    getMeter: (name, version, options) => summed(provider.getMeter(name, version, options)),
  };
}

function summed(meter: Meter): Meter {
  // A meter keeps state of its own, so all but one of its methods must still run on it.
  return new Proxy(meter, {
    get: (target, property) => {
      if (property === "createUpDownCounter")
        return (name: string, options?: MetricOptions) => summedCounter(target, name, options);
      const member: unknown = Reflect.get(target, property);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function summedCounter(meter: Meter, name: string, options?: MetricOptions): UpDownCounter {
  const sums = new Sums();
  meter.createObservableUpDownCounter(name, options).addCallback((result) => {
    for (const { value, attributes } of sums.all()) result.observe(value, attributes);
  });
  return {
    add: (value: number, attributes: Attributes = {}) => {
      sums.of(attributes).value += value;
    },
  };
}

class Sums {
  /** By the attributes in the order in which they came, which is cheap to tell; several may lead to one sum. */
  readonly #byOrder = new Map<string, Series>();
  readonly #series = new Map<string, Series>();

  all(): Iterable<Series> {
    return this.#series.values();
  }

  of(attributes: Attributes): Series {
    const key = orderedKey(attributes);
    const known = this.#byOrder.get(key);
    if (known !== undefined) return known;
    const series = this.#find(attributes);
    if (this.#byOrder.size < maxSeries) this.#byOrder.set(key, series);
    return series;
  }

  #find(attributes: Attributes): Series {
    const key = sortedKey(attributes);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= maxSeries && attributes !== overflow) return this.#find(overflow);
    const series = { attributes: { ...attributes }, value: 0 };
    this.#series.set(key, series);
    return series;
  }
}

function orderedKey(attributes: Attributes): string {
  let key = "";
  for (const name in attributes) {
    const value = attributes[name];
    key += typeof value === "string" ? `${name}\u0000${value}\u0000` : `${name}\u0001${JSON.stringify(value)}\u0000`;
  }
  return key;
}

function sortedKey(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
