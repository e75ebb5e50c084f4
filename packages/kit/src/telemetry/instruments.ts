import { type Meter, type ObservableResult, metrics as api } from "@opentelemetry/api";
import type { MetricAttributes, MetricDefinition } from "@vitrine/contracts/telemetry";

const scope = "@vitrine/kit";

function meter(): Meter {
  return api.getMeter(scope);
}

function options(definition: MetricDefinition) {
  return {
    unit: definition.unit,
    description: definition.description,
    ...(definition.buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...definition.buckets] } }),
  };
}

export interface Counter<D extends MetricDefinition> {
  add(value: number, attributes?: MetricAttributes<D>): void;
}

export interface Histogram<D extends MetricDefinition> {
  record(value: number, attributes?: MetricAttributes<D>): void;
}

/** A counter of the telemetry contract; its attributes are checked against the contract by the compiler. */
export function counter<D extends MetricDefinition>(definition: D): Counter<D> {
  const instrument =
    definition.kind === "up_down_counter"
      ? meter().createUpDownCounter(definition.name, options(definition))
      : meter().createCounter(definition.name, options(definition));
  return {
    add: (value, attributes) => instrument.add(value, attributes),
  };
}

export function histogram<D extends MetricDefinition>(definition: D): Histogram<D> {
  const instrument = meter().createHistogram(definition.name, options(definition));
  return {
    record: (value, attributes) => instrument.record(value, attributes),
  };
}

/** Registers a value that is read when metrics are collected; `read` reports through its argument and must not throw. */
export function observe<D extends MetricDefinition>(
  definition: D,
  read: (report: (value: number, attributes?: MetricAttributes<D>) => void) => void,
): void {
  const callback = (result: ObservableResult) => read((value, attributes) => result.observe(value, attributes));
  const settings = options(definition);
  switch (definition.kind) {
    case "counter":
      meter().createObservableCounter(definition.name, settings).addCallback(callback);
      return;
    case "up_down_counter":
      meter().createObservableUpDownCounter(definition.name, settings).addCallback(callback);
      return;
    case "gauge":
      meter().createObservableGauge(definition.name, settings).addCallback(callback);
      return;
    case "histogram":
      throw new TypeError(`${definition.name}: a histogram cannot be observed`);
  }
}
