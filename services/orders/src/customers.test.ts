import { afterAll, describe, expect, test } from "bun:test";
import { cataloguePage, orderPage } from "@vitrine/contracts/orders";
import { customerOverview, customerPage, statementPage } from "@vitrine/contracts/customers";
import { watch } from "./testing/start-orders.ts";
import { startTrading } from "./testing/start-trading.ts";

const shop = await startTrading();
const { balances, customer, orders, piece, placed, told } = shop;

afterAll(() => shop.stop());

const newName = () => `customer-${crypto.randomUUID()}`;

describe("what is another customer's", () => {
  test.each([
    "/api/wallet",
    "/api/wallet/holds",
    "/api/wallet/statement?currency=EUR",
    "/api/collection",
    "/api/collection/summary",
    "/api/orders",
  ])("%s is refused to customers, and shown to operators", async (path) => {
    const owner = newName();
    await (
      await orders.as(owner)
    )("POST", "/api/wallet/deposits", { amount: 5, currency: "EUR" });
    const asked = `${path}${path.includes("?") ? "&" : "?"}customer=${owner}`;
    expect(await told(await (await orders.as(newName()))("GET", asked))).toBe("403 insufficient_scope");
    expect((await (await orders.as(newName(), "operator"))("GET", asked)).status).toBe(200);
    expect((await (await orders.as(owner))("GET", asked)).status).toBe(200);
  });

  test("orders: operators read one, and the list of all; they neither pay nor cancel them", async () => {
    const send = await customer(1_000);
    const id = await placed(send, { pieceId: await piece(1_000), quantity: 1 });
    const operator = await orders.as(newName(), "operator");
    expect((await operator("GET", `/api/orders/${id}`)).status).toBe(200);
    expect((await operator("GET", `/api/orders/${id}/events`)).status).toBe(200);
    const { items } = orderPage.parse(await (await operator("GET", "/api/orders?customer=*&limit=100")).json());
    expect(items.map((one) => one.id)).toContain(id);
    for (const step of ["pay", "cancel"])
      expect(await told(await operator("POST", `/api/orders/${id}/${step}`))).toBe("404 not_found");
  });

  test("customers are listed for operators only; everybody sees their own overview", async () => {
    const name = newName();
    const send = await orders.as(name);
    expect(await told(await send("GET", `/api/customers/${name}`))).toBe("404 not_found");
    await send("POST", "/api/wallet/deposits", { amount: 7, currency: "BHD" });
    await placed(send, { pieceId: await piece(1), quantity: 1 });
    const overview = customerOverview.parse(await (await send("GET", `/api/customers/${name}`)).json());
    expect(overview).toMatchObject({ id: name, balances: [{ currency: "BHD", available: 7, held: 0 }], openOrders: 1 });
    expect(await told(await send("GET", "/api/customers"))).toBe("403 insufficient_scope");
    expect(await told(await send("GET", "/api/customers/somebody"))).toBe("403 insufficient_scope");
    const operator = await orders.as(newName(), "operator");
    const page = customerPage.parse(await (await operator("GET", "/api/customers?limit=100")).json());
    expect(page.items.map(({ id }) => id)).toContain(name);
  });
});

describe("lists", () => {
  test("a statement is told in pages, newest first, every line once, with what was available after it", async () => {
    const send = await customer();
    for (let amount = 1; amount <= 7; amount += 1)
      await send("POST", "/api/wallet/deposits", { amount, currency: "EUR" });
    const seen: number[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const path = `/api/wallet/statement?currency=EUR&limit=3${more}`;
      const page = statementPage.parse(await (await send("GET", path)).json());
      seen.push(...page.items.map(({ available }) => available));
      cursor = page.next;
    }
    expect(seen).toEqual([28, 21, 15, 10, 6, 3, 1]);
    expect(await balances(send)).toEqual([{ currency: "EUR", available: 28, held: 0 }]);
  });

  test("orders are filtered by state, kind, maison, piece kind and time", async () => {
    const send = await customer(100);
    const maison = `Maison ${crypto.randomUUID()}`;
    const pieceId = `piece-${crypto.randomUUID()}`;
    const price = { amount: 1, currency: "EUR" };
    await (
      await orders.as("clerk")
    )("PUT", `/api/catalog/${pieceId}`, { ...watch, maison, price });
    const [paid, reserved] = [
      await placed(send, { pieceId, quantity: 1 }),
      await placed(send, { pieceId: await piece(1), quantity: 1 }),
    ];
    await send("POST", `/api/orders/${paid}/pay`);
    const sold = await placed(send, { kind: "sell", pieceId, quantity: 1 });
    const found = async (query: string) =>
      orderPage.parse(await (await send("GET", `/api/orders?${query}`)).json()).items.map(({ id }) => id);
    expect(await found("")).toEqual([sold, reserved, paid]);
    expect(await found("status=reserved")).toEqual([reserved]);
    expect(await found("kind=sell")).toEqual([sold]);
    expect(await found(`maison=${encodeURIComponent(maison)}`)).toEqual([sold, paid]);
    expect(await found("pieceKind=leather")).toEqual([]);
    const soon = new Date(Date.now() + 60_000).toISOString();
    expect(await found(`to=${soon}`)).toHaveLength(3);
    expect(await found(`from=${soon}`)).toEqual([]);
    const { createdAt } = await shop.orderOf(send, reserved);
    expect(await found(`from=${createdAt}`)).toEqual([sold, reserved]);
    expect(await found(`to=${createdAt}`)).toEqual([paid]);
    // Its id is older than itself, as where its request was brought again after a while.
    await orders.database.query("update orders set created_at = created_at + interval '1 hour' where id = $1", [
      reserved,
    ]);
    expect(await found(`from=${soon}`)).toEqual([reserved]);
    expect(await found(`to=${soon}`)).toEqual([sold, paid]);
  });

  test.each([
    ["q=eclipse", ["a", "b"]],
    ["q=%C3%89CLIPSE%20noir", ["b"]],
    ["q=ecl", ["a", "b"]],
    ["q=clipse", []],
    ["q=eclipse&kind=leather", ["a"]],
    ["q=noire%205711%2F1A", ["b"]],
    ["q=1a", ["b"]],
    ["q=aurore%20No.5", ["c"]],
    ["limited=true", ["b"]],
    ["currency=JPY", ["c"]],
    ["currency=EUR&minPrice=150", ["b"]],
    ["currency=EUR&minPrice=100&maxPrice=150", ["a"]],
    ["q=eclipse&q", undefined],
    ["q=%26%7C!", undefined],
    ["minPrice=1", undefined],
    ["currency=EUR&minPrice=-1", undefined],
  ])("the catalogue answers %s", async (query, expected) => {
    const send = await orders.as("clerk");
    const maison = `Maison ${crypto.randomUUID()}`;
    const base = { ...watch, maison };
    const bodies = {
      a: { ...base, name: "Éclipse bag", kind: "leather", price: { amount: 100, currency: "EUR" } },
      b: { ...base, name: "Éclipse d'or noire 5711/1A", edition: 50, price: { amount: 200, currency: "EUR" } },
      c: { ...base, name: "Aurore No.5", price: { amount: 200, currency: "JPY" } },
    };
    const ids = new Map<string, string>();
    for (const [name, body] of Object.entries(bodies)) {
      const id = `${name}-${crypto.randomUUID()}`;
      ids.set(id, name);
      await send("PUT", `/api/catalog/${id}`, body);
    }
    const response = await send("GET", `/api/catalog?maison=${encodeURIComponent(maison)}&${query}`);
    if (expected === undefined) return expect(await told(response)).toBe("400 invalid_request");
    const { items } = cataloguePage.parse(await response.json());
    expect(items.map(({ id }) => ids.get(id) ?? "")).toEqual(expected);
  });
});
