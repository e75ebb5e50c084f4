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
  readonly currency: "EUR" | "CHF" | "USD";
  readonly kinds: readonly [Piece["kind"], ...Piece["kind"][]];
}

const maisons: readonly Maison[] = [
  { name: "Aubrelle", currency: "EUR", kinds: ["couture", "leather"] },
  { name: "Brumelac", currency: "EUR", kinds: ["leather"] },
  { name: "Cendrisse", currency: "EUR", kinds: ["jewellery"] },
  { name: "Corvane", currency: "CHF", kinds: ["watch"] },
  { name: "Halvorne", currency: "USD", kinds: ["leather", "watch"] },
  { name: "Lumerac", currency: "CHF", kinds: ["jewellery", "watch"] },
  { name: "Norvick", currency: "USD", kinds: ["watch"] },
  { name: "Oltrebelle", currency: "EUR", kinds: ["couture"] },
  { name: "Quironne", currency: "EUR", kinds: ["couture", "jewellery"] },
  { name: "Sablemont", currency: "CHF", kinds: ["watch", "jewellery"] },
  { name: "Tessigny", currency: "EUR", kinds: ["jewellery"] },
  { name: "Verranzo", currency: "USD", kinds: ["leather", "couture"] },
];

const lines = [
  "Aurore",
  "Boréale",
  "Cascade",
  "Dune",
  "Éclipse",
  "Fougère",
  "Givre",
  "Horizon",
  "Iris",
  "Jasmin",
  "Lagune",
  "Mistral",
  "Nocturne",
  "Opale",
  "Pavot",
  "Rivage",
  "Solstice",
  "Tempête",
  "Vendange",
  "Zénith",
] as const;

interface KindWords {
  readonly things: readonly [string, ...string[]];
  readonly finishes: readonly [string, ...string[]];
  /** Whole units of the currency. */
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

const piecesPerMaison = 10;

/**
 * The demo catalogue: 12 maisons of 10 pieces, every name made up for it. It never depends on the traffic's seed, so
 * that every run of the generator knows the same shop.
 */
export function makeCatalogue(): readonly SeedPiece[] {
  const random = createRandom("vitrine catalogue 1");
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
  return {
    id: toSlug(`${maison.name} ${line}`),
    maison: maison.name,
    name,
    kind,
    price: { amount: makeAmount(random, price), currency: maison.currency },
    // Most pieces are few: that is what makes a shop of this kind run out of them.
    stock: random.weighted({ few: 7, some: 3 }) === "few" ? random.int(12, 20) : random.int(21, 60),
  };
}

/** Minor units; spread evenly by ratio, not by difference, and rounded to fifty as price tags are. */
function makeAmount(random: Random, [from, to]: readonly [number, number]): number {
  const units = from * (to / from) ** random.next();
  return Math.round(units / 50) * 50 * 100;
}

function toSlug(text: string): string {
  return text
    .normalize("NFD")
    .replaceAll(/\p{Mn}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
}
