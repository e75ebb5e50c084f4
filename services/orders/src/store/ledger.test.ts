import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startFakeInventory } from "../testing/fake-inventory.ts";
import { startOrders } from "../testing/start-orders.ts";
import { accounts, post, TooLittle } from "./ledger.ts";

const inventory = startFakeInventory();
let orders: Awaited<ReturnType<typeof startOrders>>;

beforeAll(async () => {
  orders = await startOrders({ inventoryUrl: inventory.url });
  await orders.database.query("insert into customers (id) values ('anna'), ('bert')");
  await orders.database.transaction((tx) => post(tx, [deposit("anna", 100), deposit("bert", 100)]));
});
afterAll(async () => {
  await orders.database.close();
  await inventory.stop();
});

function deposit(owner: string, amount: number, reference = crypto.randomUUID()) {
  return {
    reference,
    movement: "deposit" as const,
    asset: "EUR",
    amount,
    debit: accounts.bank("EUR"),
    credit: accounts.wallet(owner, "EUR"),
    requestId: "request-1",
  };
}

const balanceOf = async (owner: string) => {
  const id = accounts.wallet(owner, "EUR").id;
  const [row] = await orders.database.query<{ balance: string }>("select balance from accounts where id = $1", [id]);
  return Number(row?.balance);
};

const columns = "reference, movement, asset, amount, debit, credit, request_id";
const insert = (values: string) => `insert into transfers (${columns}) values (gen_random_uuid(), ${values}, 'r')`;

describe("the ledger refuses", () => {
  test.each([
    ["to change a transfer", "update transfers set amount = amount + 1"],
    ["to delete a transfer", "delete from transfers"],
    ["to be emptied", "truncate transfers"],
    ["to change a balance by hand", "update accounts set balance = balance + 1 where id = 'wallet:anna:EUR'"],
    ["to move an account to another owner", "update accounts set owner = 'bert' where id = 'wallet:anna:EUR'"],
    ["to delete an account", "delete from accounts where id = 'wallet:anna:EUR'"],
    [
      "an account that begins with money",
      "insert into accounts (id, owner, kind, asset, balance) values ('x', 'anna', 'wallet', 'CHF', 1)",
    ],
    ["an amount of nothing", insert("'deposit', 'EUR', 0, 'bank:EUR', 'wallet:anna:EUR'")],
    ["an amount below nothing", insert("'deposit', 'EUR', -1, 'bank:EUR', 'wallet:anna:EUR'")],
    ["a transfer of an account to itself", insert("'deposit', 'EUR', 1, 'wallet:anna:EUR', 'wallet:anna:EUR'")],
    ["an asset the accounts do not hold", insert("'deposit', 'CHF', 1, 'bank:EUR', 'wallet:anna:EUR'")],
    ["a side that does not exist", insert("'deposit', 'EUR', 1, 'bank:EUR', 'wallet:nobody:EUR'")],
    ["a balance below zero", insert("'withdrawal', 'EUR', 101, 'wallet:anna:EUR', 'bank:EUR'")],
    [
      "a balance that is no exact number any more",
      insert("'deposit', 'EUR', 9007199254740991, 'bank:EUR', 'wallet:anna:EUR'"),
    ],
    ["to change an event of an order", "update order_events set status = 'paid'"],
    ["to delete an event of an order", "delete from order_events"],
  ])("%s", async (_, statement) => {
    await expect(orders.database.query(statement)).rejects.toThrow();
    expect(await balanceOf("anna")).toBe(100);
  });
});

describe("a transfer", () => {
  test("is made once for a reference, and the second leaves everything as it was", async () => {
    const once = deposit("bert", 5);
    const before = await balanceOf("bert");
    await orders.database.transaction((tx) => post(tx, [once]));
    await expect(orders.database.transaction((tx) => post(tx, [once]))).rejects.toMatchObject({ code: "23505" });
    expect(await balanceOf("bert")).toBe(before + 5);
  });

  test("of more than there is undoes the transaction it is part of", async () => {
    const before = await balanceOf("bert");
    const much = { ...deposit("bert", 1_000_000), debit: accounts.wallet("bert", "EUR"), credit: accounts.bank("EUR") };
    const work = orders.database.transaction((tx) => post(tx, [deposit("bert", 7), much]));
    await expect(work).rejects.toBeInstanceOf(TooLittle);
    expect(await balanceOf("bert")).toBe(before);
  });

  test("in either direction between two accounts, eight at once, neither waits for ever nor loses anything", async () => {
    const [anna, bert] = [await balanceOf("anna"), await balanceOf("bert")];
    const between = (from: string, to: string) => ({
      ...deposit("anna", 1),
      debit: accounts.wallet(from, "EUR"),
      credit: accounts.wallet(to, "EUR"),
    });
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        const transfer = () => (worker % 2 === 0 ? between("anna", "bert") : between("bert", "anna"));
        for (let count = 0; count < 20; count += 1) await orders.database.transaction((tx) => post(tx, [transfer()]));
      }),
    );
    expect([await balanceOf("anna"), await balanceOf("bert")]).toEqual([anna, bert]);
  });
});
