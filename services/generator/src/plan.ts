import type { Piece } from "@vitrine/contracts/orders";
import { pieceKinds } from "@vitrine/contracts/piece";
import { createRandom, type Random } from "./random.ts";

/** What a customer leafs through: one kind of pieces, or all of them. */
export type Shelf = Piece["kind"] | "all";

/** What a customer does next; `piece` is an index into the catalogue, a browse without a shelf turns the page. */
export type Action =
  | { readonly kind: "browse"; readonly shelf?: Shelf }
  | { readonly kind: "view"; readonly piece: number }
  | { readonly kind: "order"; readonly piece: number; readonly quantity: number }
  | { readonly kind: "orders" };

export interface Step {
  /** Milliseconds after the step before. */
  readonly afterMs: number;
  /** Index of the customer. */
  readonly customer: number;
  readonly action: Action;
}

export interface PlanOptions {
  readonly seed: string;
  readonly ratePerSecond: number;
  readonly customers: number;
  readonly pieces: number;
}

/** Where a customer is in the shop: at the door, at a page, before a piece, or with an order just sent. */
type Place = { readonly at: "door" | "page" | "till" } | { readonly at: "piece"; readonly piece: number };

/**
 * The endless plan of a population: arrivals of a Poisson process that waits for no answer (open model), each the next
 * habit of one customer. The same options give the same plan.
 */
export function* planTraffic(options: PlanOptions): Generator<Step, never, undefined> {
  const random = createRandom(options.seed);
  const places = new Map<number, Place>();
  for (;;) {
    const afterMs = random.gapMs(options.ratePerSecond);
    const customer = random.int(0, options.customers - 1);
    const action = nextAction(random, places.get(customer) ?? { at: "door" }, options.pieces);
    places.set(customer, placeAfter(action));
    yield { afterMs, customer, action };
  }
}

function nextAction(random: Random, place: Place, pieces: number): Action {
  switch (place.at) {
    case "door":
      return { kind: "browse", shelf: pickShelf(random) };
    case "page":
      return random.weighted({ further: 4, view: 6 }) === "further"
        ? { kind: "browse" }
        : { kind: "view", piece: pickPiece(random, pieces) };
    case "piece":
      return random.weighted({ order: 3, back: 7 }) === "order"
        ? { kind: "order", piece: place.piece, quantity: pickQuantity(random) }
        : { kind: "browse" };
    case "till":
      return random.weighted({ orders: 5, leave: 5 }) === "orders"
        ? { kind: "orders" }
        : { kind: "browse", shelf: pickShelf(random) };
  }
}

function placeAfter(action: Action): Place {
  switch (action.kind) {
    case "browse":
      return { at: "page" };
    case "view":
      return { at: "piece", piece: action.piece };
    case "order":
      return { at: "till" };
    case "orders":
      return { at: "door" };
  }
}

function pickShelf(random: Random): Shelf {
  return random.pick(["all", "all", ...pieceKinds]);
}

/** Some pieces are talked about: the product of two draws makes the first of the catalogue the most wanted. */
function pickPiece(random: Random, pieces: number): number {
  return Math.floor(random.next() * random.next() * pieces);
}

/** Now and then someone asks for more than any shop has. */
function pickQuantity(random: Random): number {
  const habit = random.weighted({ one: 88, two: 10, many: 2 });
  return habit === "one" ? 1 : habit === "two" ? 2 : 100;
}
