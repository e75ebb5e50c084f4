import { describe, expect, test } from "bun:test";
import { type PlanOptions, planTraffic, type Step } from "./plan.ts";

const options = { seed: "vitrine", ratePerSecond: 4, customers: 25, pieces: 120 };

function take(count: number, changed: Partial<PlanOptions> = {}): Step[] {
  return planTraffic({ ...options, ...changed })
    .take(count)
    .toArray();
}

describe("plan of the traffic", () => {
  test("the same seed gives the same plan, another seed another one", () => {
    expect(take(500)).toEqual(take(500));
    expect(take(500)).not.toEqual(take(500, { seed: "other" }));
  });

  test.each([1, 4, 100])("arrivals keep a rate of %p per second", (ratePerSecond) => {
    const steps = take(5_000, { ratePerSecond });
    const seconds = steps.reduce((sum, { afterMs }) => sum + afterMs, 0) / 1_000;
    const ratio = steps.length / seconds / ratePerSecond;
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(1.05);
  });

  test("customers and pieces stay within the population and the catalogue", () => {
    for (const { customer, action } of take(5_000, { customers: 3, pieces: 7 })) {
      expect(customer).toBeOneOf([0, 1, 2]);
      if ("piece" in action) expect(action.piece).toBeOneOf([0, 1, 2, 3, 4, 5, 6]);
    }
  });

  test("a customer orders only the piece just looked at, and looks at orders only after ordering", () => {
    const last = new Map<number, Step["action"]>();
    for (const { customer, action } of take(5_000)) {
      const before = last.get(customer);
      if (action.kind === "order") expect(before).toEqual({ kind: "view", piece: action.piece });
      if (action.kind === "orders") expect(before?.kind).toBe("order");
      last.set(customer, action);
    }
  });

  test("all habits occur, most of it looking, and now and then an order no shop can meet", () => {
    const actions = take(10_000).map(({ action }) => action);
    const share = (kind: string) => actions.filter((action) => action.kind === kind).length / actions.length;
    expect(share("browse")).toBeGreaterThan(0.4);
    expect(share("order")).toBeGreaterThan(0.03);
    expect(share("orders")).toBeGreaterThan(0.01);
    expect(actions.some((action) => action.kind === "order" && action.quantity === 100)).toBe(true);
  });
});
