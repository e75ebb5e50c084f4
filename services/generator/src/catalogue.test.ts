import { describe, expect, test } from "bun:test";
import { piece } from "@vitrine/contracts/orders";
import { pieceKinds } from "@vitrine/contracts/piece";
import { makeCatalogue } from "./catalogue.ts";

describe("demo catalogue", () => {
  const pieces = makeCatalogue();

  test("is the same every time", () => {
    expect(makeCatalogue()).toEqual(pieces);
  });

  test("has 120 pieces of 12 maisons, all kinds and three currencies, under ids used once", () => {
    expect(pieces).toHaveLength(120);
    expect(new Set(pieces.map(({ id }) => id)).size).toBe(120);
    expect(new Set(pieces.map(({ maison }) => maison)).size).toBe(12);
    expect(new Set(pieces.map(({ kind }) => kind))).toEqual(new Set(pieceKinds));
    expect(new Set(pieces.map(({ price }) => price.currency))).toEqual(new Set(["EUR", "CHF", "USD"]));
  });

  test("every piece fits the contract, costs a plausible price and lies in the shop at least once", () => {
    for (const { stock, ...rest } of pieces) {
      expect(piece.parse(rest)).toEqual(rest);
      expect(rest.price.amount).toBeGreaterThanOrEqual(300_00);
      expect(rest.price.amount).toBeLessThanOrEqual(180_000_00);
      expect(rest.price.amount % 50_00).toBe(0);
      expect(stock).toBeGreaterThan(0);
    }
  });
});
