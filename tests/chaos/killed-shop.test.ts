import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { stockLevel } from "@vitrine/contracts/inventory";
import { order } from "@vitrine/contracts/orders";
import { problem } from "@vitrine/contracts/problem";
import pg from "pg";
import { type ShopProcesses, startShopProcesses } from "./shop-processes.ts";

const orderCount = 1_000;
const atOnce = 16;
const patienceMs = 90_000;
const unitAmount = 700;

let shop: ShopProcesses;
let database: pg.Client;

beforeAll(async () => {
  shop = await startShopProcesses({
    env: () => ({ SWEEP_INTERVAL_MS: "500", ORDER_INTERRUPTED_AFTER_MS: "5000", ORDER_HOLD_SECONDS: "10" }),
  });
  database = new pg.Client({ connectionString: shop.orders.databaseUrl });
  await database.connect();
}, 120_000);
afterAll(async () => {
  await database.end();
  await shop.stop();
});

interface Call {
  readonly token: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly key?: string;
}

async function call(url: string, { token, method = "POST", body, key }: Call): Promise<Response | undefined> {
  return await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
    // A connection to a process that was killed is no better when used again.
    keepalive: false,
  }).catch(() => undefined);
}

/** Asks until there is an answer that is neither silence, nor 503, nor that the same request is under way. */
async function insist(url: string, request: Call): Promise<Response> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const response = await call(url, request);
    const again =
      response === undefined ||
      response.status === 503 ||
      (response.status === 409 && problem.parse(await response.clone().json()).code === "idempotency_in_flight");
    if (!again) return response;
    await Bun.sleep(250);
  }
  throw new Error(`no answer within ${patienceMs / 1_000} s`);
}

async function count(text: string, values: readonly unknown[] = []): Promise<number> {
  const { rows } = await database.query<{ count: string }>(text, [...values]);
  return Number(rows[0]?.count ?? 0);
}

const tokenOf = (sub: string) =>
  shop.issuer.sign("orders:read orders:write catalog:write inventory:read inventory:write", { sub });

async function stocked(): Promise<string> {
  const token = await tokenOf("clerk");
  const pieceId = `piece-${crypto.randomUUID()}`;
  const piece = {
    maison: "Maison Test",
    name: "A watch",
    kind: "watch",
    price: { amount: unitAmount, currency: "JPY" },
  };
  await call(`${shop.orders.url}/api/catalog/${pieceId}`, { token, method: "PUT", body: piece });
  const restock = { token, body: { quantity: orderCount } };
  await call(`${shop.inventory.url}/api/inventory/${pieceId}/restock`, restock);
  return pieceId;
}

/** A thousand orders by ten customers, of which some never pay; `halfway` happens in the middle of them. */
async function orderAll(pieceId: string, halfway: () => Promise<void>): Promise<ReadonlyMap<string, Set<string>>> {
  const tokens = await Promise.all(Array.from({ length: 10 }, (_, index) => tokenOf(`${pieceId}-${index}`)));
  for (const token of tokens)
    await insist(`${shop.orders.url}/api/wallet/deposits`, { token, body: { amount: 1_000_000, currency: "JPY" } });
  const made = new Map<string, Set<string>>();
  let next = 0;
  let happening: Promise<void> | undefined;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < orderCount) {
        const index = (next += 1);
        if (index === orderCount / 2) happening = halfway();
        const token = tokens[index % tokens.length] ?? "";
        const key = `${pieceId}-${index}`;
        const place = { token, key, body: { pieceId, quantity: 1 } };
        const response = await insist(`${shop.orders.url}/api/orders`, place);
        expect(response.status).toBe(201);
        const { id } = order.parse(await response.json());
        made.set(key, (made.get(key) ?? new Set()).add(id));
        if (index % 10 !== 0) await insist(`${shop.orders.url}/api/orders/${id}/pay`, { token });
      }
    }),
  );
  await happening;
  return made;
}

/** Until nothing waits for anything any more. */
async function settled(pieceId: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  const waiting = () =>
    count(
      `select count(*) from orders where piece_id = $1 and (status in ('placed', 'reserved', 'paid') or release_due)`,
      [pieceId],
    );
  while ((await waiting()) > 0) {
    if (performance.now() > deadline) throw new Error("the sweep did not come to an end");
    await Bun.sleep(250);
  }
}

async function expectNothingLost(pieceId: string, made: ReadonlyMap<string, Set<string>>): Promise<void> {
  expect(made.size).toBe(orderCount);
  for (const ids of made.values()) expect(ids.size).toBe(1);
  const ids = [...made.values()].flatMap((one) => Array.from(one));
  expect(new Set(ids).size).toBe(orderCount);
  // All of them are there, and no others but those that came to nothing.
  expect(await count("select count(*) from orders where id = any($1)", [ids])).toBe(orderCount);
  const others = `select count(*) from orders where piece_id = $1 and not id = any($2)
    and (reason is null or reason not in ('interrupted', 'inventory_unavailable'))`;
  expect(await count(others, [pieceId, ids])).toBe(0);

  const fulfilled = await count("select count(*) from orders where piece_id = $1 and status = 'fulfilled'", [pieceId]);
  expect(fulfilled).toBeGreaterThan(orderCount / 2);
  expect(
    await count("select count(*) from orders where piece_id = $1 and status = 'expired'", [pieceId]),
  ).toBeGreaterThan(0);
  const token = await tokenOf("clerk");
  const level = await call(`${shop.inventory.url}/api/inventory/${pieceId}`, { token, method: "GET" });
  expect(stockLevel.parse(await level?.json())).toMatchObject({
    available: orderCount - fulfilled,
    reserved: 0,
    sold: fulfilled,
  });
  expect(await count("select coalesce(sum(balance), 0) as count from accounts where asset = $1", [pieceId])).toBe(
    fulfilled,
  );
  const paid =
    "select coalesce(sum(amount), 0) as count from transfers t join orders o on o.id = t.reference where movement = 'capture' and o.piece_id = $1";
  expect(await count(paid, [pieceId])).toBe(fulfilled * unitAmount);
  expect(await count("select coalesce(sum(balance), 0) as count from accounts where kind = 'held'")).toBe(0);
}

describe(`kill -9 in the middle of ${orderCount} orders: none is lost or doubled, and nothing stays held`, () => {
  test.each(["orders", "inventory"] as const)(
    "%s",
    async (name) => {
      const pieceId = await stocked();
      const made = await orderAll(pieceId, async () => {
        await shop[name].kill();
        await shop[name].start();
      });
      await settled(pieceId);
      await expectNothingLost(pieceId, made);
    },
    300_000,
  );
});
