import { describe, expect, test } from "bun:test";
import { toWholeUnits } from "@vitrine/contracts/money";
import { piece } from "@vitrine/contracts/orders";
import { pieceKinds } from "@vitrine/contracts/piece";
import { makeCatalogue } from "./catalogue.ts";

describe("demo catalogue", () => {
  const pieces = makeCatalogue();

  test("is the same every time", () => {
    expect(makeCatalogue()).toEqual(pieces);
  });

  test("has 300 pieces of 20 maisons, all kinds and currencies of 0, 2 and 3 decimals, under ids used once", () => {
    expect(pieces).toHaveLength(300);
    expect(new Set(pieces.map(({ id }) => id)).size).toBe(300);
    expect(new Set(pieces.map(({ maison }) => maison)).size).toBe(20);
    expect(new Set(pieces.map(({ kind }) => kind))).toEqual(new Set(pieceKinds));
    expect(new Set(pieces.map(({ price }) => price.currency))).toEqual(
      new Set(["AED", "BHD", "CHF", "EUR", "GBP", "JPY", "KWD", "SGD", "USD"]),
    );
    expect(pieces.some(({ edition }) => edition === null) && pieces.some(({ edition }) => edition !== null)).toBe(true);
  });

  test("every piece fits the contract, costs a plausible price and lies in the shop at least once", () => {
    for (const { stock, ...rest } of pieces) {
      expect(piece.parse(rest)).toEqual(rest);
      const units = toWholeUnits(rest.price);
      expect(units).toBeGreaterThanOrEqual(100);
      expect(units).toBeLessThanOrEqual(180_000 * (rest.price.currency === "JPY" ? 165 : 4));
      expect(units % 10).toBe(0);
      expect(stock).toBeGreaterThan(0);
      expect([null, stock]).toContain(rest.edition);
    }
  });
});
