import { beforeEach, describe, expect, test } from "bun:test";
import { createCustomer } from "./customer.ts";
import type { Answer, GatewayRequest } from "./gateway.ts";
import { createRandom } from "./random.ts";

const ok: Answer = { status: 200, body: { items: [], next: null } };
const price = { amount: 1_250_000, currency: "EUR" };
const seen = { id: "piece-1", maison: "M", name: "N", kind: "watch", price, edition: null };
const ordered = {
  id: "0197c6a5-0000-7000-8000-000000000001",
  kind: "buy",
  customer: "customer-1",
  pieceId: "piece-1",
  maison: "M",
  pieceKind: "watch",
  quantity: 2,
  unitPrice: price,
  total: { amount: 2_500_000, currency: "EUR" },
  status: "reserved",
  reason: null,
  createdAt: "2026-11-21T08:00:00.000Z",
  changedAt: "2026-11-21T08:00:00.000Z",
  expiresAt: "2026-11-21T08:15:00.000Z",
};

let asked: GatewayRequest[];
let answers: Record<string, (Answer | undefined)[]>;
let token: string | undefined;
let forgotten: number;

beforeEach(() => {
  asked = [];
  answers = {};
  token = "t1";
  forgotten = 0;
});

/** At a gateway that gives the prepared answers by path, the last one for ever. */
function newCustomer() {
  const send = async (request: GatewayRequest) => {
    asked.push(request);
    const prepared = answers[request.path.split("?")[0] ?? ""] ?? [ok];
    return prepared.length > 1 ? prepared.shift() : prepared[0];
  };
  return createCustomer({
    session: { token: async () => token, forget: () => (forgotten += 1), stolen: () => ({}) },
    gateway: { send, isResting: () => false },
    pieceIds: ["piece-1"],
    random: createRandom("test"),
  });
}

const paths = () => asked.map(({ method = "GET", path }) => `${method} ${path}`);

describe("a customer", () => {
  test("acts with the token of the session, and signs in again after it was refused", async () => {
    answers = { "/api/orders": [{ status: 401, body: {} }] };
    expect(await newCustomer().act({ kind: "orders" })).toBe(true);
    expect([asked[0]?.token, forgotten]).toEqual(["t1", 1]);
  });

  test("who is not signed in sends nothing", async () => {
    token = undefined;
    expect(await newCustomer().act({ kind: "orders" })).toBe(false);
    expect(asked).toEqual([]);
  });

  test("turns the pages of one shelf and starts another at its first page", async () => {
    answers = { "/api/catalog": [{ status: 200, body: { items: [], next: "c1" } }] };
    const customer = newCustomer();
    await customer.act({ kind: "browse", shelf: "watch" });
    await customer.act({ kind: "browse" });
    await customer.act({ kind: "browse", shelf: "all" });
    expect(paths()).toEqual([
      "GET /api/catalog?limit=12&kind=watch",
      "GET /api/catalog?limit=12&kind=watch&cursor=c1",
      "GET /api/catalog?limit=12",
    ]);
  });

  test("orders at the price that was seen, each time under a key of its own", async () => {
    answers = { "/api/catalog/piece-1": [{ status: 200, body: seen }] };
    const customer = newCustomer();
    await customer.act({ kind: "view", piece: 0 });
    await customer.act({ kind: "order", piece: 0, quantity: 2 });
    await customer.act({ kind: "order", piece: 0, quantity: 2 });
    const orders = asked.filter(({ action }) => action === "order");
    const body = { kind: "buy", pieceId: "piece-1", quantity: 2, expectedPrice: price };
    expect(orders.map((request) => request.body)).toEqual([body, body]);
    expect(new Set(orders.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
  });

  test("pays what was ordered last; who could not pay deposits enough of its currency and pays then, once", async () => {
    const pay = `/api/orders/${ordered.id}/pay`;
    answers = {
      "/api/orders": [{ status: 201, body: ordered }],
      [pay]: [
        { status: 409, body: {} },
        { status: 200, body: { ...ordered, status: "fulfilled" } },
      ],
    };
    const customer = newCustomer();
    expect(await customer.act({ kind: "pay" })).toBe(false);
    await customer.act({ kind: "order", piece: 0, quantity: 2 });
    for (const kind of ["pay", "deposit", "pay", "pay"] as const) await customer.act({ kind });
    expect(paths()).toEqual(["POST /api/orders", `POST ${pay}`, "POST /api/wallet/deposits", `POST ${pay}`]);
    const deposited = asked.find(({ action }) => action === "deposit")?.body as { amount: number; currency: string };
    expect(deposited.currency).toBe("EUR");
    expect(deposited.amount).toBeGreaterThanOrEqual(2_500_000);
  });

  test("sells a piece of the collection, and nothing without one", async () => {
    const item = { pieceId: "piece-1", name: "N", maison: "M", kind: "watch", quantity: 1, cost: price, value: price };
    answers = { "/api/collection": [ok, { status: 200, body: { items: [item], next: null } }] };
    const customer = newCustomer();
    await customer.act({ kind: "sell" });
    await customer.act({ kind: "sell" });
    expect(paths().filter((path) => path === "POST /api/orders")).toHaveLength(1);
    expect(asked.at(-1)?.body).toEqual({ kind: "sell", pieceId: "piece-1", quantity: 1 });
  });
});
