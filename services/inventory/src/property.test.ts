import { afterAll, beforeAll, expect, test } from "bun:test";
import { createFuzz } from "@vitrine/kit/testing/fuzz";
import { startInventory } from "./testing/start-inventory.ts";

let inventory: Awaited<ReturnType<typeof startInventory>>;

beforeAll(async () => {
  inventory = await startInventory();
});
afterAll(() => inventory.database.close());

const seed = Math.floor(Math.random() * 1e9);
const operations = 10_000;
const atOnce = 16;

test(`after ${operations} random operations at once stock is its movements, nothing is oversold, and every reservation ended once (seed ${seed})`, async () => {
  const { stock, reservations, database } = inventory;
  const fuzz = createFuzz(seed);
  const pieces = Array.from({ length: 8 }, (_, index) => `piece-${index}`);
  const ids: string[] = [];
  const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
  const int = (max: number) => 1 + Math.floor(fuzz.random() * max);
  const operate = async () => {
    const pieceId = fuzz.pick(pieces);
    const roll = fuzz.random();
    if (roll < 0.1) {
      const key = fuzz.pick(keys);
      // One key means one request: another under it would be a conflict and change nothing.
      const quantity = 1 + (Number(key.slice(4)) % 9);
      const target = pieces[Number(key.slice(4)) % pieces.length] ?? pieceId;
      return await stock.restock({ pieceId: target, quantity }, "test", key);
    }
    if (roll < 0.6 || ids.length === 0) {
      const id = fuzz.random() < 0.1 && ids.length > 0 ? fuzz.pick(ids) : crypto.randomUUID();
      ids.push(id);
      return await reservations.reserve({ id, pieceId, quantity: int(3), expiresInSeconds: int(2) }, "test");
    }
    if (roll < 0.75) return await reservations.commit(fuzz.pick(ids), "test");
    if (roll < 0.9) return await reservations.release(fuzz.pick(ids), "test");
    return await reservations.expire();
  };
  let left = operations;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while ((left -= 1) >= 0) await operate();
    }),
  );
  const sums = await database.query(
    `select s.piece_id from stock s join (select piece_id, sum(available_delta) as available, sum(reserved_delta) as reserved,
         sum(sold_delta) as sold, sum(available_delta + reserved_delta + sold_delta) filter (where kind = 'restock') as brought
       from movements group by piece_id) m using (piece_id)
       where (s.available, s.reserved, s.sold) is distinct from (m.available, m.reserved, m.sold)
         or s.available + s.reserved + s.sold <> m.brought or least(s.available, s.reserved, s.sold) < 0`,
  );
  expect(sums).toEqual([]);
  const negative = await database.query(
    `select id from (select id, sum(available_delta) over pieces as available, sum(reserved_delta) over pieces as reserved
       from movements window pieces as (partition by piece_id order by id)) running
     where least(available, reserved) < 0`,
  );
  expect(negative).toEqual([]);
  const held = await database.query(
    `select piece_id from stock left join (select piece_id, sum(quantity) as quantity from reservations
         where status = 'held' group by piece_id) h using (piece_id)
       where reserved <> coalesce(h.quantity, 0)`,
  );
  expect(held).toEqual([]);
  const twice = await database.query(
    "select reservation_id from movements where kind in ('release', 'expire', 'commit') group by 1 having count(*) > 1",
  );
  expect(twice).toEqual([]);
  const [restocks] = await database.query(
    "select count(*)::int as count, count(distinct idempotency_key)::int as keys from movements where kind = 'restock'",
  );
  expect(restocks).toEqual({ count: keys.length, keys: keys.length });
  const [kinds] = await database.query(
    "select count(distinct kind)::int as kinds, (select count(*)::int from reservations) > 1000 as many from movements",
  );
  expect(kinds).toEqual({ kinds: 5, many: true });
}, 120_000);
