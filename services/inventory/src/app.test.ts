import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { reservation, stockLevel, stockPage } from "@vitrine/contracts/inventory";
import { problem } from "@vitrine/contracts/problem";
import { startInventory } from "./testing.ts";

let inventory: Awaited<ReturnType<typeof startInventory>>;

beforeAll(async () => {
  inventory = await startInventory();
});
afterAll(() => inventory.database.close());

const newId = () => crypto.randomUUID();
const newPiece = () => `piece-${newId()}`;

async function problemOf(response: Response) {
  return problem.parse(await response.json());
}

describe("stock routes", () => {
  test("restocking makes a piece known and adds to it", async () => {
    const pieceId = newPiece();
    expect((await inventory.send("GET", `/${pieceId}`)).status).toBe(404);
    const first = await inventory.send("POST", `/${pieceId}/restock`, { quantity: 3 });
    expect(first.status).toBe(200);
    expect(stockLevel.parse(await first.json())).toEqual({ pieceId, available: 3, reserved: 0 });
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 2 });
    expect(await (await inventory.send("GET", `/${pieceId}`)).json()).toEqual({ pieceId, available: 5, reserved: 0 });
  });

  test("a restock repeated under its key adds nothing, another one under that key is a conflict", async () => {
    const pieceId = newPiece();
    const headers = { "idempotency-key": newId() };
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 3 }, headers);
    const again = await inventory.send("POST", `/${pieceId}/restock`, { quantity: 3 }, headers);
    expect([again.status, await again.json()]).toEqual([200, { pieceId, available: 3, reserved: 0 }]);
    const other = await inventory.send("POST", `/${pieceId}/restock`, { quantity: 4 }, headers);
    expect([other.status, (await problemOf(other)).code]).toEqual([409, "idempotency_conflict"]);
  });

  test("pages cover every piece once", async () => {
    const pieces = Array.from({ length: 25 }, newPiece);
    await Promise.all(pieces.map((pieceId) => inventory.send("POST", `/${pieceId}/restock`, { quantity: 1 })));
    const seen: string[] = [];
    for (let query: string | undefined = "?limit=7"; query !== undefined;) {
      const page = stockPage.parse(await (await inventory.send("GET", query)).json());
      seen.push(...page.items.map((level) => level.pieceId));
      query = page.next === null ? undefined : `?limit=7&cursor=${page.next}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(pieces));
  });
});

describe("reservation routes", () => {
  test("a reservation answers 201, its retry 200 with the same, and its release gives the pieces back", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 2 });
    const request = { id: newId(), pieceId, quantity: 2 };
    const first = await inventory.send("POST", "/reservations", request);
    const held = reservation.parse(await first.json());
    expect([first.status, held.status]).toEqual([201, "held"]);
    const second = await inventory.send("POST", "/reservations", request);
    expect([second.status, await second.json()]).toEqual([200, held]);
    expect((await inventory.send("DELETE", `/reservations/${request.id}`)).status).toBe(204);
    expect((await inventory.send("DELETE", `/reservations/${request.id}`)).status).toBe(204);
    expect(await (await inventory.send("GET", `/${pieceId}`)).json()).toEqual({ pieceId, available: 2, reserved: 0 });
    const lines = inventory.lines.filter((line) => JSON.stringify(line["extra"])?.includes(request.id));
    expect(lines.map((line) => line.action).filter((action) => action.startsWith("stock."))).toEqual([
      "stock.reserved",
      "stock.released",
    ]);
  });

  test("too few pieces, or none ever stocked, answer 409 out_of_stock", async () => {
    const pieceId = newPiece();
    const unknown = await inventory.send("POST", "/reservations", { id: newId(), pieceId, quantity: 1 });
    expect([unknown.status, (await problemOf(unknown)).code]).toEqual([409, "out_of_stock"]);
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 1 });
    const few = await inventory.send("POST", "/reservations", { id: newId(), pieceId, quantity: 2 });
    expect([few.status, (await problemOf(few)).code]).toEqual([409, "out_of_stock"]);
  });

  test("an id that reserved another thing is a conflict", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 5 });
    const request = { id: newId(), pieceId, quantity: 1 };
    await inventory.send("POST", "/reservations", request);
    const other = await inventory.send("POST", "/reservations", { ...request, quantity: 2 });
    expect([other.status, (await problemOf(other)).code]).toEqual([409, "idempotency_conflict"]);
  });
});

describe("the door", () => {
  const id = "0197c6a5-0000-7000-8000-000000000002";
  test.each([
    ["GET", "?limit=0", undefined, {}, "limit"],
    ["GET", "?cursor=AAAA", undefined, {}, "cursor"],
    ["GET", "/Not_An_Id", undefined, {}, "pieceId"],
    ["POST", "/piece-1/restock", { quantity: 0 }, {}, "quantity"],
    ["POST", "/piece-1/restock", { quantity: 10_001 }, {}, "quantity"],
    ["POST", "/piece-1/restock", { quantity: 1.5 }, {}, "quantity"],
    ["POST", "/piece-1/restock", { quantity: 1 }, { "idempotency-key": "with space" }, "idempotency-key"],
    ["POST", "/reservations", { id: "1", pieceId: "piece-1", quantity: 1 }, {}, "id"],
    ["POST", "/reservations", { id, pieceId: "\u0000", quantity: 1 }, {}, "pieceId"],
    ["POST", "/reservations", { id, pieceId: "piece-1", quantity: "1" }, {}, "quantity"],
    ["DELETE", "/reservations/1", undefined, {}, "id"],
  ])("%s %s %p %p is refused and names %s", async (method, path, body, headers, field) => {
    const response = await inventory.send(method, path, body, headers);
    const told = await problemOf(response);
    expect([response.status, told.code, told.fields?.[0]?.field]).toEqual([400, "invalid_request", field]);
  });

  test.each([
    ["GET", "", "inventory:write"],
    ["GET", "/piece-1", "inventory:write"],
    ["POST", "/piece-1/restock", "inventory:read"],
    ["POST", "/reservations", "inventory:read orders:write"],
    ["DELETE", "/reservations/0197c6a5-0000-7000-8000-000000000001", "inventory:read"],
  ])("%s %s needs a token (401) and its scope (403)", async (method, path, wrongScope) => {
    const anonymous = await inventory.app.request(`/api/inventory${path}`, { method });
    expect([anonymous.status, (await problemOf(anonymous)).code]).toEqual([401, "unauthenticated"]);
    const authorization = `Bearer ${await inventory.issuer.sign(wrongScope)}`;
    const weak = await inventory.app.request(`/api/inventory${path}`, { method, headers: { authorization } });
    expect([weak.status, (await problemOf(weak)).code]).toEqual([403, "insufficient_scope"]);
  });

  test("while PostgreSQL is away requests answer 503 with Retry-After, and work again once it is back", async () => {
    const own = await startInventory({ ownServer: true });
    await own.send("POST", "/piece-1/restock", { quantity: 1 });
    await own.server.stopServer();
    const away = await own.send("GET", "/piece-1");
    expect([away.status, (await problemOf(away)).code, away.headers.has("retry-after")]).toEqual([
      503,
      "unavailable",
      true,
    ]);
    await own.server.startServer();
    expect((await own.send("GET", "/piece-1")).status).toBe(200);
    await own.database.close();
  });
});
