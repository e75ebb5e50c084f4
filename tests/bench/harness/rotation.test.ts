import { expect, test } from "bun:test";
import { rotated } from "./rotation.ts";

test("over as many rounds as there are variants, each stands once in every place", () => {
  const variants = ["a", "b", "c", "d"];
  const rounds = variants.map((_, round) => rotated(variants, round));
  for (const place of variants.keys()) {
    expect(new Set(rounds.map((order) => order[place]))).toEqual(new Set(variants));
  }
});

test("rotation goes on past the first cycle and loses nobody", () => {
  expect(rotated(["a", "b", "c"], 4)).toEqual(["b", "c", "a"]);
  expect(rotated([], 3)).toEqual([]);
});
