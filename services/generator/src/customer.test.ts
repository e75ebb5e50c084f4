import { beforeEach, describe, expect, test } from "bun:test";
import type { SeedPiece } from "./catalogue.ts";
import { createCustomer } from "./customer.ts";
import type { Answer, GatewayRequest } from "./gateway.ts";

const identity = { name: "customer-1", password: "not-a-real-password" };
const pieces: readonly SeedPiece[] = [
  { id: "piece-1", maison: "M", name: "N", kind: "watch", price: { amount: 1, currency: "EUR" }, stock: 1 },
];
const signedIn: Answer = {
  status: 200,
  body: { access_token: "t1", token_type: "Bearer", expires_in: 900, scope: "orders:read" },
};

let time: number;
let asked: GatewayRequest[];
let answers: Record<string, (Answer | undefined)[]>;

beforeEach(() => {
  time = 0;
  asked = [];
  answers = {};
});

/** A gateway that gives the prepared answers by path, the last one for ever. */
function newCustomer() {
  const send = async (request: GatewayRequest) => {
    asked.push(request);
    const path = request.path.split("?")[0] ?? "";
    const prepared = answers[path] ?? [{ status: 200, body: { items: [], next: null } }];
    return prepared.length > 1 ? prepared.shift() : prepared[0];
  };
  return createCustomer({ identity, pieces, gateway: { send, isResting: () => false }, now: () => time });
}

const paths = () => asked.map(({ path }) => path);

describe("a customer", () => {
  test("registers when the account is new, then signs in and acts with the token", async () => {
    answers = {
      "/api/auth/login": [{ status: 401, body: {} }, signedIn],
      "/api/auth/register": [{ status: 201, body: {} }],
    };
    expect(await newCustomer().act({ kind: "orders" })).toBe(true);
    expect(paths()).toEqual(["/api/auth/login", "/api/auth/register", "/api/auth/login", "/api/orders?limit=10"]);
    expect(asked.at(-1)?.token).toBe("t1");
  });

  test("signs in once for many requests at once, and again only when the token is about to expire", async () => {
    answers = { "/api/auth/login": [signedIn] };
    const customer = newCustomer();
    await Promise.all(Array.from({ length: 5 }, () => customer.act({ kind: "orders" })));
    time = 869_000;
    await customer.act({ kind: "orders" });
    expect(paths().filter((path) => path === "/api/auth/login")).toHaveLength(1);
    time = 870_000;
    await customer.act({ kind: "orders" });
    expect(paths().filter((path) => path === "/api/auth/login")).toHaveLength(2);
  });

  test("signs in again after a refused token", async () => {
    answers = { "/api/auth/login": [signedIn], "/api/orders": [{ status: 401, body: {} }] };
    const customer = newCustomer();
    await customer.act({ kind: "orders" });
    await customer.act({ kind: "orders" });
    expect(paths().filter((path) => path === "/api/auth/login")).toHaveLength(2);
  });

  test("who cannot sign in sends nothing else and waits before the next try", async () => {
    answers = { "/api/auth/login": [undefined] };
    const customer = newCustomer();
    expect(await customer.act({ kind: "orders" })).toBe(false);
    expect(await customer.act({ kind: "orders" })).toBe(false);
    expect(paths()).toEqual(["/api/auth/login"]);
    time = 15_000;
    await customer.act({ kind: "orders" });
    expect(paths()).toEqual(["/api/auth/login", "/api/auth/login"]);
  });

  test("turns the pages of one shelf and starts another at its first page", async () => {
    answers = { "/api/auth/login": [signedIn], "/api/catalog": [{ status: 200, body: { items: [], next: "c1" } }] };
    const customer = newCustomer();
    await customer.act({ kind: "browse", shelf: "watch" });
    await customer.act({ kind: "browse" });
    await customer.act({ kind: "browse", shelf: "all" });
    expect(paths().slice(1)).toEqual([
      "/api/catalog?limit=12&kind=watch",
      "/api/catalog?limit=12&kind=watch&cursor=c1",
      "/api/catalog?limit=12",
    ]);
  });

  test("orders the piece under a key of its own", async () => {
    answers = { "/api/auth/login": [signedIn] };
    const customer = newCustomer();
    await customer.act({ kind: "order", piece: 0, quantity: 2 });
    await customer.act({ kind: "order", piece: 0, quantity: 2 });
    const orders = asked.filter(({ action }) => action === "order");
    expect(orders.map(({ body }) => body)).toEqual([1, 2].map(() => ({ pieceId: "piece-1", quantity: 2 })));
    expect(new Set(orders.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2);
  });
});
