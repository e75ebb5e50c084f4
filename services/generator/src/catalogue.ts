import { type Currency, currencyDecimals } from "@vitrine/contracts/money";
import type { Piece } from "@vitrine/contracts/orders";
import { createRandom, type Random } from "./random.ts";

/** A piece of the demo world and how many of it lie in the shop at first. */
export interface SeedPiece extends Piece {
  readonly stock: number;
}

/** What filling the shop came to; all but `pieces` are 0 when it was filled before. */
export interface SeedReport {
  readonly pieces: number;
  readonly changed: number;
  readonly stocked: number;
}

interface Maison {
  readonly name: string;
  readonly currency: Currency;
  readonly kinds: readonly [Piece["kind"], ...Piece["kind"][]];
}

const maisons: readonly Maison[] = [
  { name: "Akanemori", currency: "JPY", kinds: ["jewellery", "leather"] },
  { name: "Ashwick & Loom", currency: "GBP", kinds: ["couture", "leather"] },
  { name: "Aubrelle", currency: "EUR", kinds: ["couture", "leather"] },
  { name: "Belcourt Hale", currency: "GBP", kinds: ["watch", "jewellery"] },
  { name: "Brumelac", currency: "EUR", kinds: ["leather"] },
  { name: "Cendrisse", currency: "EUR", kinds: ["jewellery"] },
  { name: "Corvane", currency: "CHF", kinds: ["watch"] },
  { name: "Dilmara", currency: "BHD", kinds: ["jewellery"] },
  { name: "Halvorne", currency: "USD", kinds: ["leather", "watch"] },
  { name: "Lumerac", currency: "CHF", kinds: ["jewellery", "watch"] },
  { name: "Mizuhane", currency: "JPY", kinds: ["watch", "couture"] },
  { name: "Nadirah", currency: "AED", kinds: ["jewellery", "couture"] },
  { name: "Norvick", currency: "USD", kinds: ["watch"] },
  { name: "Oltrebelle", currency: "EUR", kinds: ["couture"] },
  { name: "Quironne", currency: "EUR", kinds: ["couture", "jewellery"] },
  { name: "Sablemont", currency: "CHF", kinds: ["watch", "jewellery"] },
  { name: "Safwara", currency: "KWD", kinds: ["jewellery", "watch"] },
  { name: "Tessigny", currency: "EUR", kinds: ["jewellery"] },
  { name: "Tidelock", currency: "SGD", kinds: ["watch", "leather"] },
  { name: "Verranzo", currency: "USD", kinds: ["leather", "couture"] },
];

const lines = [
  "Aurore",
  "Boréale",
  "Cascade",
  "Dune",
  "Éclipse",
  "Fougère",
  "Garance",
  "Givre",
  "Horizon",
  "Iris",
  "Jasmin",
  "Lagune",
  "Lichen",
  "Mistral",
  "Nocturne",
  "Opale",
  "Orage",
  "Pavot",
  "Rivage",
  "Solstice",
  "Sureau",
  "Tempête",
  "Vendange",
  "Verveine",
  "Zénith",
] as const;

interface KindWords {
  readonly things: readonly [string, ...string[]];
  readonly finishes: readonly [string, ...string[]];
  /** In euros. */
  readonly price: readonly [from: number, to: number];
}

const words: Readonly<Record<Piece["kind"], KindWords>> = {
  watch: {
    things: ["chronograph", "moonphase watch", "diver's watch", "dress watch", "tourbillon"],
    finishes: ["in steel", "in rose gold", "in platinum", "in titanium"],
    price: [4_500, 180_000],
  },
  jewellery: {
    things: ["ring", "necklace", "bracelet", "earrings", "brooch"],
    finishes: ["with sapphires", "with diamonds", "in white gold", "with pearls"],
    price: [1_800, 95_000],
  },
  leather: {
    things: ["handbag", "weekend bag", "briefcase", "wallet", "belt"],
    finishes: ["in calfskin", "in grained leather", "in suede", "in black"],
    price: [350, 9_500],
  },
  couture: {
    things: ["evening gown", "tailored coat", "silk blouse", "dinner jacket", "cashmere cape"],
    finishes: ["in ivory", "in midnight blue", "in emerald", "in black"],
    price: [900, 24_000],
  },
};

/** Whole units to one euro, near enough for price tags, and what tags are rounded to. */
const tags: Readonly<Record<Currency, readonly [perEuro: number, step: number]>> = {
  AED: [4, 100],
  BHD: [0.4, 10],
  CHF: [1, 50],
  CNY: [8, 100],
  EUR: [1, 50],
  GBP: [0.85, 50],
  JPY: [165, 1_000],
  KRW: [1_500, 10_000],
  KWD: [0.33, 10],
  SGD: [1.5, 50],
  USD: [1.1, 50],
};

const piecesPerMaison = 15;

/**
 * The demo catalogue: 20 maisons of 15 pieces, every name made up for it. It never depends on the traffic's seed, so
 * that every run of the generator knows the same shop.
 */
export function makeCatalogue(): readonly SeedPiece[] {
  const random = createRandom("vitrine catalogue 2");
  return maisons.flatMap((maison) => {
    const offset = random.int(0, lines.length - 1);
    return Array.from({ length: piecesPerMaison }, (_, index) => {
      const line = lines[(offset + index) % lines.length] ?? lines[0];
      return makePiece(random, maison, line);
    });
  });
}

function makePiece(random: Random, maison: Maison, line: string): SeedPiece {
  const kind = random.pick(maison.kinds);
  const { things, finishes, price } = words[kind];
  const name = `${line} ${random.pick(things)} ${random.pick(finishes)}`;
  // Most pieces are few: that is what makes a shop of this kind run out of them.
  const stock = random.weighted({ few: 7, some: 3 }) === "few" ? random.int(12, 20) : random.int(21, 60);
  return {
    id: toSlug(`${maison.name} ${line}`),
    maison: maison.name,
    name,
    kind,
    price: { amount: makeAmount(random, price, maison.currency), currency: maison.currency },
    // Of a limited edition all there are lie in the shop, and none is ever delivered.
    edition: random.weighted({ limited: 1, open: 9 }) === "limited" ? stock : null,
    stock,
  };
}

/** Minor units; spread evenly by ratio, not by difference, and rounded as price tags are. */
function makeAmount(random: Random, [from, to]: readonly [number, number], currency: Currency): number {
  const [perEuro, step] = tags[currency];
  const units = perEuro * from * (to / from) ** random.next();
  return Math.max(1, Math.round(units / step)) * step * 10 ** currencyDecimals[currency];
}

function toSlug(text: string): string {
  return text
    .normalize("NFD")
    .replaceAll(/\p{Mn}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
}
