import { type PieceKind, pieceKinds } from "@vitrine/contracts/piece";
import { type AttackName, attackWeights } from "./attacks.ts";
import { createRandom, type Random } from "./random.ts";
import type { Habits, Scenario } from "./scenarios.ts";

/** What a customer leafs through: one kind of pieces, or all of them. */
export type Shelf = PieceKind | "all";

/** What a customer does next; `piece` is an index into the catalogue, a browse without a shelf turns the page. */
export type Action =
  | { readonly kind: "browse"; readonly shelf?: Shelf }
  | { readonly kind: "view"; readonly piece: number }
  | { readonly kind: "order"; readonly piece: number; readonly quantity: number }
  | { readonly kind: "pay" | "cancel" | "deposit" | "orders" | "wallet" | "collection" | "sell" };

/** One arrival, `afterMs` after the one before: a customer who does something, or an attack. */
export type Step = { readonly afterMs: number } & (
  { readonly customer: number; readonly action: Action } | { readonly attack: AttackName }
);

export interface PlanOptions {
  readonly seed: string;
  readonly customers: number;
  readonly pieces: number;
  /** What is played when `atMs` of the plan have passed, and how many arrive in a second. */
  readonly now: (atMs: number) => { readonly scenario: Scenario; readonly ratePerSecond: number };
}

/** Where a customer is in the shop: at the door, at a page, before a piece, at the till with an order, or past it. */
type Place = { readonly at: "door" | "page" | "till" | "lounge" } | { readonly at: "piece"; readonly piece: number };

/**
 * The endless plan of a population: arrivals of a Poisson process that waits for no answer (open model), each the next
 * habit of one customer. The same options give the same plan.
 */
export function* planTraffic({ seed, customers, pieces, now }: PlanOptions): Generator<Step, never, undefined> {
  const random = createRandom(seed);
  const malice = createRandom(`${seed} attacks`);
  const places = new Map<number, Place>();
  for (let atMs = 0; ;) {
    const { scenario, ratePerSecond } = now(atMs);
    const afterMs = random.gapMs(ratePerSecond);
    atMs += afterMs;
    if (scenario.attacks > 0 && malice.next() < scenario.attacks) {
      yield { afterMs, attack: malice.weighted(attackWeights) };
      continue;
    }
    const customer = random.int(0, customers - 1);
    const action = nextAction(random, places.get(customer) ?? { at: "door" }, pieces, scenario.habits);
    places.set(customer, placeAfter(action));
    yield { afterMs, customer, action };
  }
}

function nextAction(random: Random, place: Place, pieces: number, habits: Habits): Action {
  switch (place.at) {
    case "door":
      return { kind: "browse", shelf: pickShelf(random) };
    case "page":
      return random.weighted({ further: 4, view: 6 }) === "further"
        ? { kind: "browse" }
        : { kind: "view", piece: pickPiece(random, pieces) };
    case "piece":
      return beforePiece(random, place.piece, habits);
    case "till": {
      const kind = random.weighted(habits.atTill);
      return kind === "forget" ? nextAction(random, { at: "lounge" }, pieces, habits) : { kind };
    }
    case "lounge": {
      const kind = random.weighted(habits.elsewhere);
      return kind === "browse" ? { kind, shelf: pickShelf(random) } : { kind };
    }
  }
}

function beforePiece(random: Random, piece: number, { atPiece }: Habits): Action {
  switch (random.weighted(atPiece)) {
    case "order":
      return { kind: "order", piece, quantity: pickQuantity(random) };
    case "hesitate":
      return { kind: "view", piece };
    case "leave":
      return { kind: "browse" };
  }
}

function placeAfter(action: Action): Place {
  switch (action.kind) {
    case "browse":
      return { at: "page" };
    case "view":
      return { at: "piece", piece: action.piece };
    case "order":
    case "deposit":
      return { at: "till" };
    case "pay":
    case "cancel":
      return { at: "lounge" };
    case "orders":
    case "wallet":
    case "collection":
    case "sell":
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
