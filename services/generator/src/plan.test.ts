import { describe, expect, test } from "bun:test";
import { type Action, type PlanOptions, planTraffic, type Step } from "./plan.ts";
import { scenarios } from "./scenarios.ts";

const calm = { scenario: scenarios.calm, ratePerSecond: 4 };
const options: PlanOptions = { seed: "vitrine", customers: 25, pieces: 300, now: () => calm };

function take(count: number, changed: Partial<PlanOptions> = {}): Step[] {
  return planTraffic({ ...options, ...changed })
    .take(count)
    .toArray();
}

const habitsOf = (steps: readonly Step[]) =>
  steps.flatMap((step) => ("attack" in step ? [] : { customer: step.customer, action: step.action }));

describe("plan of the traffic", () => {
  test("the same seed gives the same plan, another seed another one", () => {
    expect(take(500)).toEqual(take(500));
    expect(take(500)).not.toEqual(take(500, { seed: "other" }));
  });

  test.each([1, 4, 100, 1_000])("arrivals keep a rate of %p per second", (ratePerSecond) => {
    const steps = take(5_000, { now: () => ({ scenario: scenarios.calm, ratePerSecond }) });
    const seconds = steps.reduce((sum, { afterMs }) => sum + afterMs, 0) / 1_000;
    expect(steps.length / seconds / ratePerSecond).toBeWithin(0.95, 1.05);
  });

  test("a rate that changes is followed from then on", () => {
    const now = (atMs: number) => ({ scenario: scenarios.calm, ratePerSecond: atMs < 100_000 ? 5 : 50 });
    let atMs = 0;
    const times = take(6_000, { now }).map(({ afterMs }) => (atMs += afterMs));
    expect(times.filter((ms) => ms < 100_000).length).toBeWithin(430, 570);
    expect(times.filter((ms) => ms >= 100_000 && ms < 200_000).length).toBeWithin(4_600, 5_400);
  });

  test("customers and pieces stay within the population and the catalogue", () => {
    for (const { customer, action } of habitsOf(take(5_000, { customers: 3, pieces: 7 }))) {
      expect(customer).toBeOneOf([0, 1, 2]);
      if ("piece" in action) expect(action.piece).toBeOneOf([0, 1, 2, 3, 4, 5, 6]);
    }
  });

  test("a customer orders only the piece just looked at, and pays or cancels only at the till", () => {
    const last = new Map<number, Action>();
    for (const { customer, action } of habitsOf(take(5_000))) {
      const before = last.get(customer);
      if (action.kind === "order") expect(before).toEqual({ kind: "view", piece: action.piece });
      if (action.kind === "pay" || action.kind === "cancel") expect(["order", "deposit"]).toContain(before?.kind ?? "");
      last.set(customer, action);
    }
  });

  test("all habits occur, most of it looking, and now and then an order no shop can meet", () => {
    const actions = habitsOf(take(10_000)).map(({ action }) => action);
    const share = (kind: string) => actions.filter((action) => action.kind === kind).length / actions.length;
    expect(share("browse")).toBeGreaterThan(0.3);
    expect(share("view")).toBeGreaterThan(0.2);
    expect(share("order")).toBeGreaterThan(0.05);
    for (const kind of ["pay", "deposit", "cancel", "orders", "wallet", "collection", "sell"])
      expect(share(kind), kind).toBeGreaterThan(0.002);
    expect(actions.some((action) => action.kind === "order" && action.quantity === 100)).toBe(true);
  });

  test("attacks come in the share the scenario says and leave what customers do as it was", () => {
    const attacked = take(4_000, { now: () => ({ scenario: scenarios.attack, ratePerSecond: 4 }) });
    const attacks = attacked.flatMap((step) => ("attack" in step ? step.attack : []));
    expect(attacks.length / attacked.length).toBeWithin(0.46, 0.54);
    expect(new Set(attacks).size).toBe(5);
    expect(take(4_000).some((step) => "attack" in step)).toBe(false);
  });

  test("in a sale more of what people do is buying", () => {
    const orders = (scenario: typeof scenarios.sale) =>
      habitsOf(take(5_000, { now: () => ({ scenario, ratePerSecond: 4 }) })).filter(
        ({ action }) => action.kind === "order",
      ).length;
    expect(orders(scenarios.sale)).toBeGreaterThan(orders(scenarios.calm) * 1.3);
  });
});
