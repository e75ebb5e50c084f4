import { expect, test } from "bun:test";
import { createFuzz, type Schema } from "./fuzz.ts";

const schema: Schema = {
  type: "object",
  properties: { kind: { enum: ["a", "b"] }, count: { type: "integer", minimum: 3, maximum: 9 } },
  required: ["kind", "count"],
};

test("values that keep to a schema do, and the same seed makes the same ones", () => {
  const make = () => {
    const fuzz = createFuzz(7);
    return Array.from({ length: 50 }, () => fuzz.valid(schema) as { kind: string; count: number });
  };
  for (const { kind, count } of make()) {
    expect(["a", "b"]).toContain(kind);
    expect(count).toBeWithin(3, 10);
  }
  expect(make()).toEqual(make());
});
