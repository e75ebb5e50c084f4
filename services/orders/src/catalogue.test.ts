import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cataloguePage, type Piece } from "@vitrine/contracts/orders";
import { problem } from "@vitrine/contracts/problem";
import { startOrders, watch } from "./testing/start-orders.ts";

let orders: Awaited<ReturnType<typeof startOrders>>;
let send: Awaited<ReturnType<typeof orders.as>>;

beforeAll(async () => {
  orders = await startOrders({ inventoryUrl: "http://127.0.0.1:9" });
  send = await orders.as("clerk");
});
afterAll(() => orders.database.close());

const newPiece = () => `piece-${crypto.randomUUID()}`;

async function collect(filter: string): Promise<Piece[]> {
  const seen: Piece[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = cataloguePage.parse(await (await send("GET", `/api/catalog?limit=4${filter}${more}`)).json());
    seen.push(...page.items);
    cursor = page.next;
  }
  return seen;
}

describe("catalogue", () => {
  test("a piece is created, replaced, and read back exactly, up to the largest price", async () => {
    const path = `/api/catalog/${newPiece()}`;
    expect((await send("GET", path)).status).toBe(404);
    expect((await send("PUT", path, watch)).status).toBe(201);
    const dear = { ...watch, edition: 50, price: { amount: 90_071_992_547_409, currency: "CHF" } };
    expect((await send("PUT", path, dear)).status).toBe(200);
    expect(await (await send("GET", path)).json()).toEqual({ id: path.slice("/api/catalog/".length), ...dear });
  });

  test("a change is said once, and putting the same again is no change", async () => {
    const id = newPiece();
    await send("PUT", `/api/catalog/${id}`, watch);
    await send("PUT", `/api/catalog/${id}`, watch);
    const changes = orders.lines.filter(({ action }) => action === "catalogue.changed");
    expect(changes.filter((line) => JSON.stringify(line["extra"]).includes(id))).toHaveLength(1);
  });

  test("pages cover every piece once, with and without filters", async () => {
    const maison = `Maison ${crypto.randomUUID()}`;
    const ids = Array.from({ length: 11 }, newPiece);
    await Promise.all(
      ids.map((id, index) =>
        send("PUT", `/api/catalog/${id}`, { ...watch, maison, kind: index % 2 === 0 ? "watch" : "leather" }),
      ),
    );
    const sorted = ids.toSorted();
    const query = `&maison=${encodeURIComponent(maison)}`;
    expect((await collect(query)).map(({ id }) => id)).toEqual(sorted);
    const leather = await collect(`${query}&kind=leather`);
    expect(leather).toHaveLength(5);
    expect(leather.every(({ kind }) => kind === "leather")).toBe(true);
    const all = (await collect("")).map(({ id }) => id);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(expect.arrayContaining(ids));
  });

  test.each([
    ["GET", "/api/catalog?limit=1000", undefined, "limit"],
    ["GET", "/api/catalog?cursor=%00", undefined, "cursor"],
    ["GET", "/api/catalog?kind=boat", undefined, "kind"],
    ["GET", "/api/catalog?maison=%00", undefined, "maison"],
    ["GET", "/api/catalog?kind=watch&kind=leather", undefined, "kind"],
    ["GET", "/api/catalog?colour=red", undefined, "query"],
    ["PUT", "/api/catalog/X", watch, "id"],
    ["PUT", "/api/catalog/piece-1", { ...watch, name: "\u0000" }, "name"],
    ["PUT", "/api/catalog/piece-1", { ...watch, price: { amount: 1.5, currency: "EUR" } }, "price.amount"],
    ["PUT", "/api/catalog/piece-1", { ...watch, price: { amount: 2 ** 53, currency: "EUR" } }, "price.amount"],
    ["PUT", "/api/catalog/piece-1", { ...watch, price: { amount: 1, currency: "eur" } }, "price.currency"],
    ["PUT", "/api/catalog/piece-1", { ...watch, kind: "boat" }, "kind"],
    ["PUT", "/api/catalog/piece-1", { ...watch, id: "piece-2" }, "json"],
  ])("%s %s %p is refused and names %s", async (method, path, body, field) => {
    const response = await send(method, path, body);
    const told = problem.parse(await response.json());
    expect([response.status, told.code, told.fields?.[0]?.field]).toEqual([400, "invalid_request", field]);
  });

  test.each([
    ["GET", "/api/catalog", "orders:write"],
    ["GET", "/api/catalog/piece-1", "inventory:read"],
    ["PUT", "/api/catalog/piece-1", "orders:read orders:write"],
    ["POST", "/api/orders", "orders:read"],
    ["GET", "/api/orders", "orders:write"],
    ["GET", "/api/orders/0197c6a5-0000-7000-8000-000000000001", "orders:write"],
  ])("%s %s needs a token (401) and its scope (403)", async (method, path, wrongScope) => {
    const anonymous = await orders.app.request(path, { method });
    expect([anonymous.status, problem.parse(await anonymous.json()).code]).toEqual([401, "unauthenticated"]);
    const authorization = `Bearer ${await orders.issuer.sign(wrongScope)}`;
    const weak = await orders.app.request(path, { method, headers: { authorization } });
    expect([weak.status, problem.parse(await weak.json()).code]).toEqual([403, "insufficient_scope"]);
  });
});
