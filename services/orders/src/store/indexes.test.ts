import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startFakeInventory } from "../testing/fake-inventory.ts";
import { startOrders } from "../testing/start-orders.ts";
import { listPiecesQuery, type PieceFilter } from "./catalogue.ts";
import { collectionQuery } from "./collections.ts";
import { statementQuery } from "./ledger.ts";
import { dueQueries, listOrdersQuery, type OrderFilter } from "./orders.ts";

const inventory = startFakeInventory();
let orders: Awaited<ReturnType<typeof startOrders>>;

/** Enough rows that reading all of them is not the cheapest way, of which each filter finds few. */
const rows = `
  insert into pieces (id, maison, name, kind, price_amount, price_currency, edition)
    select 'piece-' || n, 'Maison ' || n % 200, 'Thing ' || n, case when n % 100 = 0 then 'couture' else 'watch' end,
      n, case when n % 100 = 0 then 'KWD' else 'EUR' end, case when n % 100 = 0 then 50 end
    from generate_series(1, 20000) n;
  insert into customers (id) select 'customer-' || n from generate_series(1, 1000) n;
  insert into orders (id, customer, piece_id, maison, piece_kind, quantity, unit_amount, currency, request_id, status,
      reason, release_due, expires_at, changed_at, created_at)
    select (lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000')::uuid, 'customer-' || n % 1000 + 1, 'piece-' || n % 20000 + 1,
      'Maison ' || n % 200, 'watch', 1, 100, 'EUR', 'r',
      case when n % 500 < 3 then (array['placed', 'reserved', 'paid'])[n % 500 + 1] when n % 500 = 3 then 'cancelled' else 'fulfilled' end,
      case when n % 500 = 3 then 'customer' end, n % 500 = 3,
      now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour'
    from (select n::int from generate_series(1, 40000) n) as numbers;
  insert into order_events (order_id, status, request_id) select id, status, 'r' from orders;
  insert into accounts (id, kind, asset) values ('bank:EUR', 'bank', 'EUR'), ('shop:piece-1', 'shop', 'piece-1');
  insert into accounts (id, owner, kind, asset) select 'wallet:' || id || ':EUR', id, 'wallet', 'EUR' from customers;
  insert into accounts (id, owner, kind, asset, lot)
    select 'lot:' || id, customer, 'lot', 'piece-1', id from orders limit 10000;
  insert into transfers (reference, movement, asset, amount, debit, credit, request_id)
    select gen_random_uuid(), 'deposit', 'EUR', 1, 'bank:EUR', 'wallet:customer-' || n % 1000 + 1 || ':EUR', 'r'
    from generate_series(1, 10000) n;
  insert into transfers (reference, movement, asset, amount, debit, credit, request_id)
    select lot, 'delivery', 'piece-1', 1, 'shop:piece-1', id, 'r' from accounts where kind = 'lot';
  insert into idempotency_keys (customer, key, fingerprint, effect_id, locked_until)
    select 'customer-' || n % 1000, 'key-' || n, 'f', gen_random_uuid(), now() from generate_series(1, 20000) n;`;

beforeAll(async () => {
  orders = await startOrders({ inventoryUrl: inventory.url });
  // Vacuumed, as is done by itself after so many rows: it also sorts in what new rows left beside the index of words.
  await orders.server.run(rows, "vacuum analyze");
}, 120_000);
afterAll(async () => {
  await orders.database.close();
  await inventory.stop();
});

/** How PostgreSQL means to find the rows: the nodes of its plan that read tables. */
async function scansOf({ text, values }: { readonly text: string; readonly values: readonly unknown[] }) {
  const plan = await orders.database.query<{ "QUERY PLAN": string }>(`explain ${text}`, values);
  return plan
    .map((line) => line["QUERY PLAN"])
    .filter((line) => /Scan/.test(line))
    .join("\n");
}

const after = "00000000-0000-0000-0000-000000000000";
const newest = "ffffffff-ffff-ffff-ffff-ffffffffffff";

describe("orders are found by an index", () => {
  test.each<[string, OrderFilter]>([
    ["orders_pkey", {}],
    ["orders_by_customer", { customer: "customer-5" }],
    ["orders_by_customer", { customer: "customer-5", status: "fulfilled" }],
    ["orders_by_status", { status: "cancelled" }],
    ["orders_by_maison", { maison: "Maison 7" }],
    ["orders_pkey", { from: "1970-01-01T00:00:00Z", to: "1970-01-02T00:00:00Z" }],
  ])("%s for %j", async (index, filter) => {
    const scans = await scansOf(listOrdersQuery(filter, newest, 21));
    expect(scans).toContain(index);
    expect(scans).not.toContain("Seq Scan");
  });

  test.each([
    ["orders_unsettled", "interrupted", [100, 1_000]],
    ["orders_expiring", "expired", [100]],
    ["orders_paid", "paid", [100, 1_000]],
    ["orders_release_due", "release", [100]],
  ] as const)("%s for what is %s", async (index, due, values) => {
    expect(await scansOf({ text: dueQueries[due], values })).toContain(index);
  });

  test("order_events_by_order for the steps of one", async () => {
    const text = "select status from order_events where order_id = $1 order by id";
    expect(await scansOf({ text, values: [after] })).toContain("order_events_by_order");
  });
});

describe("pieces are found by an index", () => {
  test.each<[string, PieceFilter]>([
    ["pieces_pkey", {}],
    ["pieces_by_maison", { maison: "Maison 7" }],
    ["pieces_by_kind", { kind: "couture" }],
    ["pieces_by_price", { currency: "KWD", minPrice: 100, maxPrice: 300 }],
    ["pieces_limited", { limited: true }],
    ["pieces_by_words", { search: "777" }],
  ])("%s for %j", async (index, filter) => {
    const scans = await scansOf(listPiecesQuery(filter, undefined, 21));
    expect(scans).toContain(index);
    expect(scans).not.toContain("Seq Scan");
  });
});

describe("money and collections are found by an index", () => {
  test("both sides of a statement", async () => {
    const scans = await scansOf({ text: statementQuery, values: ["wallet:customer-5:EUR", "9000000000", 21] });
    expect(scans).toContain("transfers_by_debit");
    expect(scans).toContain("transfers_by_credit");
    expect(scans).not.toContain("Seq Scan");
  });

  test("a collection, and the orders its lots came from", async () => {
    const scans = await scansOf({ text: collectionQuery, values: ["customer-5", "", "", 21] });
    expect(scans).toContain("accounts_lots");
    expect(scans).toContain("orders_pkey");
    expect(scans).not.toContain("Seq Scan");
  });

  test("a customer's balances, active customers, and keys past their time", async () => {
    const balances = "select balance from accounts where owner = $1 and kind in ('wallet', 'held')";
    expect(await scansOf({ text: balances, values: ["customer-5"] })).toContain("accounts_by_owner");
    const active = "select count(*) from customers where last_active_at > now() + interval '1 day'";
    expect(await scansOf({ text: active, values: [] })).toContain("customers_by_activity");
    const old =
      "select key from idempotency_keys where created_at < now() - interval '1 day' order by created_at limit 10";
    expect(await scansOf({ text: old, values: [] })).toContain("idempotency_keys_by_age");
  });
});
