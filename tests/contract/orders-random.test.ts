import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { stockPage } from "@vitrine/contracts/inventory";
import { order } from "@vitrine/contracts/orders";
import { createFuzz } from "@vitrine/kit/testing/fuzz";
import { startShop } from "./shop.ts";

const seed = 20_261_121;
const operations = 10_000;
const atOnce = 12;
const stockOfEach = 40;

let shop: Awaited<ReturnType<typeof startShop>>;

beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.stop());

type Send = Awaited<ReturnType<(typeof shop)["orders"]["as"]>>;

/** What a request under a key was answered, however often it was sent. */
interface Keyed {
  readonly what: "order" | "deposits" | "withdrawals";
  readonly statuses: number[];
  readonly effects: Set<string>;
}

const fuzz = createFuzz(seed);
const keys = new Map<string, Keyed>();
/** Orders a customer may still pay or cancel, known by the answers. */
const open: { readonly id: string; readonly send: Send }[] = [];
const statuses: number[] = [];

async function keyed(send: Send, what: Keyed["what"], path: string, body: object): Promise<void> {
  const key = `key-${keys.size}`;
  const known: Keyed = { what, statuses: [], effects: new Set() };
  keys.set(key, known);
  const once = async () => {
    const response = await send("POST", path, body, { "idempotency-key": key });
    known.statuses.push(response.status);
    statuses.push(response.status);
    const answer = (await response.json()) as { readonly id?: string };
    if (response.status !== 201) return;
    known.effects.add(answer.id ?? "");
    if (what === "order" && known.effects.size === 1 && order.parse(answer).status === "reserved")
      open.push({ id: answer.id ?? "", send });
  };
  const times = fuzz.random() < 0.2 ? 3 : 1;
  await Promise.all(Array.from({ length: times }, once));
  if (fuzz.random() < 0.2) await once();
}

/** One thing a customer, or the shop, does. */
async function act(send: Send, clerk: Send, pieces: readonly string[]): Promise<void> {
  const chance = fuzz.random();
  const pieceId = fuzz.pick(pieces);
  const quantity = 1 + Math.floor(fuzz.random() * 3);
  const currency = fuzz.random() < 0.7 ? "EUR" : "JPY";
  const amount = 1 + Math.floor(fuzz.random() * 5_000);
  if (chance < 0.2) return await keyed(send, "deposits", "/api/wallet/deposits", { amount, currency });
  if (chance < 0.28) return await keyed(send, "withdrawals", "/api/wallet/withdrawals", { amount, currency });
  if (chance < 0.55) return await keyed(send, "order", "/api/orders", { pieceId, quantity });
  if (chance < 0.63) return await keyed(send, "order", "/api/orders", { kind: "sell", pieceId, quantity });
  if (chance < 0.64) {
    const price = { amount: Math.floor(fuzz.random() * 3_000), currency };
    const piece = { maison: "Maison Test", name: "A watch", kind: "watch", price };
    statuses.push((await clerk("PUT", `/api/catalog/${pieceId}`, piece)).status);
    return;
  }
  const [chosen] = open.splice(Math.floor(fuzz.random() * open.length), 1);
  if (chosen === undefined) return;
  const step = chance < 0.92 ? "pay" : "cancel";
  const response = await chosen.send("POST", `/api/orders/${chosen.id}/${step}`);
  statuses.push(response.status);
  if (response.status === 409) open.push(chosen);
}

/** One row of numbers. */
async function numbers(text: string): Promise<Readonly<Record<string, number>>> {
  const [row = {}] = await shop.orders.database.query(text);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
}

describe(`${operations} random operations, ${atOnce} at once (seed ${seed})`, () => {
  let pieces: readonly string[] = [];

  beforeAll(async () => {
    pieces = await Promise.all(Array.from({ length: 6 }, () => shop.stock(stockOfEach)));
    const clerk = await shop.orders.as("clerk");
    for (const pieceId of pieces) {
      const piece = { maison: "Maison Test", name: "A watch", kind: "watch", price: { amount: 700, currency: "EUR" } };
      await clerk("PUT", `/api/catalog/${pieceId}`, piece);
    }
    const customers = await Promise.all(Array.from({ length: 10 }, (_, index) => shop.orders.as(`customer-${index}`)));
    let left = operations;
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (left > 0) {
          left -= 1;
          // Time passes for some: they were reserved too long ago.
          if (left % 500 === 0)
            await shop.orders.database.query(
              "update orders set expires_at = now() where status = 'reserved' and random() < 0.2",
            );
          if (left % 250 === 0) await shop.orders.sweep();
          await act(fuzz.pick(customers), clerk, pieces);
        }
      }),
    );
    await shop.orders.sweep(0);
    await shop.inventory.sweep.run();
  }, 300_000);

  test("none is answered with a failure, and all kinds of orders came about", async () => {
    expect([...new Set(statuses)].filter((status) => status >= 500)).toEqual([]);
    const ended = await numbers(
      `select count(*) filter (where status = 'fulfilled' and kind = 'buy') as bought,
         count(*) filter (where status = 'fulfilled' and kind = 'sell') as sold,
         count(*) filter (where status = 'cancelled') as cancelled, count(*) filter (where status = 'expired') as expired,
         count(*) filter (where reason = 'out_of_stock') as refused from orders`,
    );
    for (const count of Object.values(ended)) expect(count).toBeGreaterThan(0);
  });

  test("the ledger adds up to zero, every balance is the sum of its entries, and none is below zero", async () => {
    expect(
      await numbers(
        `select (select count(*) from (select asset from ledger_entries group by asset having sum(amount) <> 0) a) as unequal,
           (select count(*) from accounts where balance < 0) as negative,
           (select count(*) from accounts a where owner is not null and balance <>
             (select coalesce(sum(amount), 0) from ledger_entries e where e.account = a.id)) as wrong`,
      ),
    ).toEqual({ unequal: 0, negative: 0, wrong: 0 });
  });

  test("no money is held for an order that has ended", async () => {
    expect(await numbers("select coalesce(sum(balance), 0) as held from accounts where kind = 'held'")).toEqual({
      held: 0,
    });
    expect(await numbers("select count(*) from orders where status in ('placed', 'paid') or release_due")).toEqual({
      count: 0,
    });
  });

  test("stock, reserved and sold are what was brought in: reserved as orders wait, sold as collections hold", async () => {
    const levels = stockPage.parse(await (await shop.inventory.send("GET", "?limit=100")).json()).items;
    expect(levels).toHaveLength(pieces.length);
    for (const { pieceId, available, reserved, sold } of levels) {
      const inOrders = await numbers(
        `select (select coalesce(sum(quantity), 0) from orders where piece_id = '${pieceId}' and status = 'reserved') as reserved,
           (select coalesce(sum(balance), 0) from accounts where kind = 'lot' and asset = '${pieceId}') as owned,
           (select coalesce(sum(amount), 0) from transfers where movement = 'return' and asset = '${pieceId}') as returned`,
      );
      const { returned = -1 } = inOrders;
      // What was sold back was brought in once more.
      expect(available + reserved + sold).toBe(stockOfEach + returned);
      expect({ reserved, owned: sold - returned, returned }).toMatchObject(inOrders);
    }
  });

  test("every idempotency key had one effect", async () => {
    const made = { order: 0, deposits: 0, withdrawals: 0 };
    for (const [key, { what, effects, statuses: answers }] of keys) {
      const one = answers.includes(201) ? 1 : 0;
      expect([key, effects.size]).toEqual([key, one]);
      made[what] += one;
    }
    const kept = await numbers(
      `select (select count(*) from orders where reason is null or reason not in ('out_of_stock', 'not_owned')) as orders,
         (select count(*) from transfers where movement = 'deposit') as deposits,
         (select count(*) from transfers where movement = 'withdrawal') as withdrawals`,
    );
    expect(kept).toEqual({ orders: made.order, deposits: made.deposits, withdrawals: made.withdrawals });
  });

  test("every order's events tell one way through its states, to the one it is in", async () => {
    const ways = await shop.orders.database.query<{ kind: string; way: string }>(
      `select distinct o.kind, (select string_agg(e.status, ' ' order by e.id) from order_events e where e.order_id = o.id) as way
       from orders o order by 1, 2`,
    );
    expect(ways.map(({ kind, way }) => `${kind}: ${way}`)).toEqual([
      "buy: placed failed",
      "buy: placed reserved",
      "buy: placed reserved cancelled",
      "buy: placed reserved expired",
      "buy: placed reserved paid fulfilled",
      "sell: placed failed",
      "sell: placed reserved paid fulfilled",
    ]);
  });
});
