import type { Attributes, HrTime } from "@opentelemetry/api";
import { millisToHrTime } from "@opentelemetry/core";

/** That of the SDK's own points: the monotonic clock stands still while a machine sleeps. */
export function wallTime(): HrTime {
  return millisToHrTime(Date.now());
}

/** What was recorded under one set of attributes. */
export interface Series<T> {
  readonly attributes: Attributes;
  readonly startTime: HrTime;
  value: T;
}

/** Of one instrument, in all collections together (Metrics SDK, cardinality limits), the last for all that come later. */
const maxSeries = 2_000;
const overflow: Attributes = Object.freeze({ "otel.metric.overflow": true });

/** All series of one instrument. */
export class SeriesSet<T> {
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
    const series = { attributes: { ...attributes }, startTime: wallTime(), value: this.#empty() };
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
    // With its length, or an end that JSON has nowhere, so that no value can be read with a part of the next name.
    key +=
      typeof value === "string"
        ? `${name}\u0000${value.length}\u0000${value}`
        : `${name}\u0001${JSON.stringify(value)}\u0000`;
  }
  return key;
}

function sortedKey(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
