import { stockPage, type StockLevel } from "@vitrine/contracts/inventory";
import { cataloguePage, type Piece } from "@vitrine/contracts/orders";
import type { TokenSource } from "@vitrine/kit/tokens/source";
import type { z } from "zod";
import type { SeedPiece, SeedReport } from "./catalogue.ts";
import type { Answer, Gateway, GatewayRequest } from "./gateway.ts";
import { planDeliveries } from "./restocking.ts";
import type { Random } from "./random.ts";

export interface Shopkeeper {
  /** Puts the catalogue and its first stock in place. Run again, it changes nothing. @throws Error to be tried again */
  seed(pieces: readonly SeedPiece[]): Promise<SeedReport>;
  /** Delivers to those of `pieces` that are nearly gone. Never throws: the next round sees what is still missing. */
  restock(pieces: readonly SeedPiece[]): Promise<void>;
}

export interface ShopkeeperOptions {
  readonly gateway: Gateway;
  readonly tokens: TokenSource;
  readonly random: Random;
}

const atOnce = 4;
const pageSize = 100;
const restockRoute = "/api/inventory/:pieceId/restock";

/** The generator's own client at work: it fills the shop that simulated customers empty. */
export function createShopkeeper({ gateway, tokens, random }: ShopkeeperOptions): Shopkeeper {
  async function send(request: Omit<GatewayRequest, "token">): Promise<Answer> {
    const answer = await gateway.send({ ...request, token: await tokens.get() });
    if (answer?.status === 401) tokens.forget();
    if (answer === undefined || answer.status >= 400)
      throw new Error(`${request.method ?? "GET"} ${request.path}: ${answer?.status ?? "no answer"}`);
    return answer;
  }

  async function collect<T>(action: "seed" | "restock", path: string, page: z.ZodType<Page<T>>): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await send({ action, path: `${path}?limit=${pageSize}${query}` });
      const parsed = page.parse(body);
      items.push(...parsed.items);
      cursor = parsed.next;
    }
    return items;
  }

  const stockLevels = (action: "seed" | "restock") => collect<StockLevel>(action, "/api/inventory", stockPage);

  async function seed(pieces: readonly SeedPiece[]): Promise<SeedReport> {
    const known = new Map((await collect<Piece>("seed", "/api/catalog", cataloguePage)).map((item) => [item.id, item]));
    const stocked = new Set((await stockLevels("seed")).map(({ pieceId }) => pieceId));
    const toPut = pieces.filter((piece) => !isSame(piece, known.get(piece.id)));
    const toStock = pieces.filter(({ id }) => !stocked.has(id));
    await eachOf(toPut, ({ id, maison, name, kind, price, edition }) =>
      send({
        action: "seed",
        method: "PUT",
        path: `/api/catalog/${id}`,
        route: "/api/catalog/:id",
        body: { maison, name, kind, price, edition },
      }),
    );
    // The key is the same for ever: however often this runs, or is cut off, first stock is given once.
    await eachOf(toStock, ({ id, stock: quantity, maison, kind }) =>
      send({
        action: "seed",
        method: "POST",
        path: `/api/inventory/${id}/restock`,
        route: restockRoute,
        body: { quantity, maison, kind },
        idempotencyKey: `seed-${id}`,
      }),
    );
    return { pieces: pieces.length, changed: toPut.length, stocked: toStock.length };
  }

  async function restock(pieces: readonly SeedPiece[]): Promise<void> {
    try {
      const limited = new Set(pieces.filter(({ edition }) => edition !== null).map(({ id }) => id));
      const deliveries = planDeliveries(await stockLevels("restock"), limited, random);
      await eachOf(deliveries, ({ pieceId, quantity }) =>
        send({
          action: "restock",
          method: "POST",
          path: `/api/inventory/${pieceId}/restock`,
          route: restockRoute,
          body: { quantity },
        }),
      );
    } catch {
      // What failed has been counted, and the next round comes soon.
    }
  }

  return { seed, restock };
}

interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

function isSame(piece: SeedPiece, known: Piece | undefined): boolean {
  return (
    known !== undefined &&
    known.maison === piece.maison &&
    known.name === piece.name &&
    known.kind === piece.kind &&
    known.edition === piece.edition &&
    known.price.amount === piece.price.amount &&
    known.price.currency === piece.price.currency
  );
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
