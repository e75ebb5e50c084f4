import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { order, orderPage } from "@vitrine/contracts/orders";
import { problem } from "@vitrine/contracts/problem";
import { held, refuse, startFakeInventory } from "./testing/fake-inventory.ts";
import { startOrders, watch } from "./testing/start-orders.ts";

const inventory = startFakeInventory();
const { fake } = inventory;
let orders: Awaited<ReturnType<typeof startOrders>>;
const pieceId = "piece-1";

beforeAll(async () => {
  orders = await startOrders({ inventoryUrl: inventory.url });
  await (
    await orders.as("clerk")
  )("PUT", `/api/catalog/${pieceId}`, watch);
});
afterEach(() => {
  fake.reserve = held;
});
afterAll(async () => {
  await orders.database.close();
  await inventory.stop();
});

const newName = () => `customer-${crypto.randomUUID()}`;
const outOfStock = () => refuse("out_of_stock");

describe("placing an order", () => {
  test("answers 201 with the order at its price, where it is, and a line that names it", async () => {
    const send = await orders.as(newName());
    const response = await send("POST", "/api/orders", { pieceId, quantity: 2 });
    const placed = order.parse(await response.json());
    expect([response.status, response.headers.get("location")]).toEqual([201, `/api/orders/${placed.id}`]);
    expect(placed).toMatchObject({
      pieceId,
      quantity: 2,
      status: "reserved",
      reason: null,
      total: { amount: 2_500_000, currency: "EUR" },
    });
    expect(fake.reserved.at(-1)).toEqual({ id: placed.id, pieceId, quantity: 2, expiresInSeconds: 960 });
    expect(await (await send("GET", `/api/orders/${placed.id}`)).json()).toEqual(placed);
    const lines = orders.lines.filter(({ action }) => action === "order.placed");
    expect(lines.at(-1)?.["extra"]).toEqual({ order_id: placed.id, kind: "buy", piece_id: pieceId, quantity: 2 });
  });

  test("out of stock is told as 409 and kept as a failed order", async () => {
    fake.reserve = outOfStock;
    const send = await orders.as(newName());
    const response = await send("POST", "/api/orders", { pieceId, quantity: 1 });
    expect([response.status, problem.parse(await response.json()).code]).toEqual([409, "out_of_stock"]);
    const kept = order.parse(await (await send("GET", response.headers.get("location") ?? "")).json());
    expect([kept.status, kept.reason]).toEqual(["failed", "out_of_stock"]);
  });

  test("a piece that is not in the catalogue is 404 and names the field", async () => {
    const send = await orders.as(newName());
    const response = await send("POST", "/api/orders", { pieceId: "no-such-piece", quantity: 1 });
    const told = problem.parse(await response.json());
    expect([response.status, told.code, told.fields?.[0]?.field]).toEqual([404, "not_found", "pieceId"]);
  });

  test.each([
    [{ pieceId, quantity: 0 }, {}, "quantity"],
    [{ pieceId, quantity: 101 }, {}, "quantity"],
    [{ pieceId, quantity: "1" }, {}, "quantity"],
    [{ pieceId: "\u0000", quantity: 1 }, {}, "pieceId"],
    [{ quantity: 1 }, {}, "pieceId"],
    [{ pieceId, quantity: 1, price: 1 }, {}, "json"],
    [{ pieceId, quantity: 1 }, { "idempotency-key": "a b" }, "idempotency-key"],
    [{ pieceId, quantity: 1 }, { "idempotency-key": "k".repeat(129) }, "idempotency-key"],
  ])("%p %p is refused and names %s", async (body, headers, field) => {
    const response = await (await orders.as(newName()))("POST", "/api/orders", body, headers);
    const told = problem.parse(await response.json());
    expect([response.status, told.code, told.fields?.[0]?.field]).toEqual([400, "invalid_request", field]);
  });
});

describe("an idempotency key", () => {
  test("sent 20 times at once makes one order: whoever comes while it is under way is told so, later ones get its answer", async () => {
    const send = await orders.as(newName());
    const headers = { "idempotency-key": "k1" };
    const body = { pieceId, quantity: 1 };
    const under = Promise.withResolvers<void>();
    fake.reserve = async (request) => {
      await under.promise;
      return held(request);
    };
    const place = () => send("POST", "/api/orders", body, headers);
    const answered: Response[] = [];
    const allButOne = Promise.withResolvers<void>();
    const placed = Array.from({ length: 20 }, async () => {
      answered.push(await place());
      if (answered.length === 19) allButOne.resolve();
    });
    await allButOne.promise;
    for (const other of answered) {
      expect([other.status, other.headers.get("retry-after")]).toEqual([409, "1"]);
      expect(problem.parse(await other.json()).code).toBe("idempotency_in_flight");
    }
    under.resolve();
    await Promise.all(placed);
    const made = answered[19];
    const again = await place();
    expect([made?.status, again.status, again.headers.get("location")]).toEqual([
      201,
      201,
      made?.headers.get("location") ?? null,
    ]);
    expect(await again.text()).toBe((await made?.text()) ?? "");
    expect(orderPage.parse(await (await send("GET", "/api/orders")).json()).items).toHaveLength(1);
  });

  test("with another body is a conflict, also for an unknown piece; for another customer it is free", async () => {
    const send = await orders.as(newName());
    const headers = { "idempotency-key": "k2" };
    await send("POST", "/api/orders", { pieceId, quantity: 1 }, headers);
    for (const body of [
      { pieceId, quantity: 2 },
      { pieceId: "no-such-piece", quantity: 1 },
    ]) {
      const other = await send("POST", "/api/orders", body, headers);
      expect([other.status, problem.parse(await other.json()).code]).toEqual([422, "idempotency_conflict"]);
    }
    const stranger = await orders.as(newName());
    expect((await stranger("POST", "/api/orders", { pieceId, quantity: 2 }, headers)).status).toBe(201);
  });

  test("repeats the refusal of an order that found no stock", async () => {
    const send = await orders.as(newName());
    const headers = { "idempotency-key": "k3" };
    fake.reserve = outOfStock;
    const first = await send("POST", "/api/orders", { pieceId, quantity: 1 }, headers);
    fake.reserve = held;
    const second = await send("POST", "/api/orders", { pieceId, quantity: 1 }, headers);
    expect([second.status, second.headers.get("location")]).toEqual([409, first.headers.get("location")]);
  });

  test("may be used again after 503, and then makes the order", async () => {
    const send = await orders.as(newName());
    const headers = { "idempotency-key": "k4" };
    fake.reserve = () => new Response("oops", { status: 500 });
    expect((await send("POST", "/api/orders", { pieceId, quantity: 1 }, headers)).status).toBe(503);
    fake.reserve = held;
    const again = await send("POST", "/api/orders", { pieceId, quantity: 1 }, headers);
    const repeated = await send("POST", "/api/orders", { pieceId, quantity: 1 }, headers);
    expect([again.status, repeated.status]).toEqual([201, 201]);
    expect(await repeated.json()).toEqual(await again.json());
  });
});

describe("own orders", () => {
  test("are listed newest first, every one once, and no other's", async () => {
    const send = await orders.as(newName());
    const made: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      made.unshift(order.parse(await (await send("POST", "/api/orders", { pieceId, quantity: 1 })).json()).id);
    }
    await (
      await orders.as(newName())
    )("POST", "/api/orders", { pieceId, quantity: 1 });
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = orderPage.parse(await (await send("GET", `/api/orders?limit=3${more}`)).json());
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    }
    expect(seen).toEqual(made);
  });

  test("of another customer are 404, like orders that do not exist", async () => {
    const owner = await orders.as(newName());
    const location = (await owner("POST", "/api/orders", { pieceId, quantity: 1 })).headers.get("location") ?? "";
    const stranger = await orders.as(newName());
    for (const path of [location, "/api/orders/0197c6a5-0000-7000-8000-000000000001"]) {
      const response = await stranger("GET", path);
      expect([response.status, problem.parse(await response.json()).code]).toEqual([404, "not_found"]);
    }
  });
});
