import { describe, expect, test } from "bun:test";
import { rotated } from "./rotation.ts";

describe.each([
  ["an even number", ["a", "b", "c", "d"], 4],
  ["an odd number", ["a", "b", "c", "d", "e"], 10],
])("of %s of variants", (_, variants, roundCount) => {
  const rounds = Array.from({ length: roundCount }, (__, round) => rotated(variants, round));

  test("each stands in every place equally often", () => {
    for (const place of variants.keys())
      for (const variant of variants)
        expect(rounds.filter((order) => order[place] === variant)).toHaveLength(roundCount / variants.length);
  });

  test("each comes after every other equally often", () => {
    const pairs = rounds.flatMap((order) => order.slice(1).map((variant, index) => `${order[index]}${variant}`));
    const different = variants.length * (variants.length - 1);
    expect(new Set(pairs).size).toBe(different);
    for (const pair of pairs) expect(pairs.filter((other) => other === pair)).toHaveLength(pairs.length / different);
  });
});

test("it goes on past the first cycle and loses nobody", () => {
  expect(rotated(["a", "b", "c"], 7).toSorted()).toEqual(["a", "b", "c"]);
  expect(rotated([], 3)).toEqual([]);
});
