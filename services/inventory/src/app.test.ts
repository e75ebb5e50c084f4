import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  movementPage,
  reservation,
  reservationPage,
  stockLevel,
  type StockLevel,
  stockPage,
} from "@vitrine/contracts/inventory";
import { problem } from "@vitrine/contracts/problem";
import { startInventory } from "./testing/start-inventory.ts";

let inventory: Awaited<ReturnType<typeof startInventory>>;

beforeAll(async () => {
  inventory = await startInventory();
});
afterAll(() => inventory.database.close());

const newId = () => crypto.randomUUID();
const newPiece = () => `piece-${newId()}`;

const level = (pieceId: string, counts: Partial<StockLevel>) => ({
  pieceId,
  maison: null,
  kind: null,
  available: 0,
  reserved: 0,
  sold: 0,
  ...counts,
});

async function levelOf(pieceId: string): Promise<StockLevel> {
  return stockLevel.parse(await (await inventory.send("GET", `/${pieceId}`)).json());
}

async function problemOf(response: Response) {
  return problem.parse(await response.json());
}

describe("stock routes", () => {
  test("restocking makes a piece known and adds to it", async () => {
    const pieceId = newPiece();
    expect((await inventory.send("GET", `/${pieceId}`)).status).toBe(404);
    const first = await inventory.send("POST", `/${pieceId}/restock`, { quantity: 3 });
    expect(first.status).toBe(200);
    expect(stockLevel.parse(await first.json())).toEqual(level(pieceId, { available: 3 }));
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 2 });
    expect(await levelOf(pieceId)).toEqual(level(pieceId, { available: 5 }));
  });

  test("what is told of a piece stays until something else is told", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 1, maison: "Aubrelle", kind: "leather" });
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 1, kind: "watch" });
    expect(await levelOf(pieceId)).toMatchObject({ maison: "Aubrelle", kind: "watch" });
  });

  test("lists by maison, by kind and of what runs low hold those pieces and no others", async () => {
    const maison = `Maison ${newId()}`;
    const [few, many, other] = [newPiece(), newPiece(), newPiece()];
    await inventory.send("POST", `/${few}/restock`, { quantity: 3, maison, kind: "watch" });
    await inventory.send("POST", `/${many}/restock`, { quantity: 4, maison, kind: "leather" });
    await inventory.send("POST", `/${other}/restock`, { quantity: 9, maison: "Elsewhere", kind: "watch" });
    const list = async (query: string) =>
      stockPage
        .parse(await (await inventory.send("GET", `?limit=100&${query}`)).json())
        .items.map((one) => one.pieceId);
    const byMaison = `maison=${encodeURIComponent(maison)}`;
    expect(await list(byMaison)).toEqual([few, many].toSorted());
    expect(await list(`${byMaison}&low=true`)).toEqual([few]);
    expect(await list(`${byMaison}&kind=leather`)).toEqual([many]);
    expect(await list("kind=watch")).toEqual(expect.arrayContaining([few, other]));
  });

  test("the movements of a piece tell how its stock came about, newest first and page by page", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 5 });
    const [sold, freed] = [newId(), newId()];
    for (const id of [sold, freed]) await inventory.send("POST", "/reservations", { id, pieceId, quantity: 2 });
    await inventory.send("POST", `/reservations/${sold}/commit`);
    await inventory.send("DELETE", `/reservations/${freed}`);
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 1, reason: "return" });
    const seen: (readonly [kind: string, available: number, reserved: number, sold: number])[] = [];
    for (let query: string | undefined = "?limit=2"; query !== undefined;) {
      const page = movementPage.parse(await (await inventory.send("GET", `/${pieceId}/movements${query}`)).json());
      seen.push(...page.items.map((m) => [m.kind, m.availableDelta, m.reservedDelta, m.soldDelta] as const));
      query = page.next === null ? undefined : `?limit=2&cursor=${page.next}`;
    }
    expect(seen).toEqual([
      ["return", 1, 0, 0],
      ["release", 2, -2, 0],
      ["commit", 0, -2, 2],
      ["reserve", -2, 2, 0],
      ["reserve", -2, 2, 0],
      ["restock", 5, 0, 0],
    ]);
    expect(await levelOf(pieceId)).toEqual(level(pieceId, { available: 4, sold: 2 }));
  });

  test("a restock repeated under its key adds nothing, another one under that key is a conflict", async () => {
    const pieceId = newPiece();
    const headers = { "idempotency-key": newId() };
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 3 }, headers);
    const again = await inventory.send("POST", `/${pieceId}/restock`, { quantity: 3 }, headers);
    expect([again.status, await again.json()]).toEqual([200, level(pieceId, { available: 3 })]);
    const other = await inventory.send("POST", `/${pieceId}/restock`, { quantity: 4 }, headers);
    expect([other.status, (await problemOf(other)).code]).toEqual([422, "idempotency_conflict"]);
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
    expect(await levelOf(pieceId)).toEqual(level(pieceId, { available: 2 }));
    const lines = inventory.lines.filter((line) => JSON.stringify(line["extra"])?.includes(request.id));
    expect(lines.map((line) => line.action).filter((action) => action.startsWith("stock."))).toEqual([
      "stock.reserved",
      "stock.released",
    ]);
  });

  test("a commit sells what is held; it can be repeated, and what is sold cannot be released", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 2 });
    const id = newId();
    await inventory.send("POST", "/reservations", { id, pieceId, quantity: 2 });
    const first = await inventory.send("POST", `/reservations/${id}/commit`);
    expect([first.status, reservation.parse(await first.json()).status]).toEqual([200, "committed"]);
    expect((await inventory.send("POST", `/reservations/${id}/commit`)).status).toBe(200);
    const late = await inventory.send("DELETE", `/reservations/${id}`);
    expect([late.status, (await problemOf(late)).code]).toEqual([409, "reservation_over"]);
    expect(await levelOf(pieceId)).toEqual(level(pieceId, { sold: 2 }));
  });

  test("what was released cannot be committed, nor what nobody reserved", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 2 });
    const id = newId();
    await inventory.send("POST", "/reservations", { id, pieceId, quantity: 2 });
    await inventory.send("DELETE", `/reservations/${id}`);
    const over = await inventory.send("POST", `/reservations/${id}/commit`);
    expect([over.status, (await problemOf(over)).code]).toEqual([409, "reservation_over"]);
    expect((await inventory.send("POST", `/reservations/${newId()}/commit`)).status).toBe(404);
    expect((await inventory.send("GET", `/reservations/${newId()}`)).status).toBe(404);
  });

  test("a reservation past its time goes back on the shelf by itself, once, and cannot be committed", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 5 });
    const [expiring, lasting] = [newId(), newId()];
    await inventory.send("POST", "/reservations", { id: expiring, pieceId, quantity: 2, expiresInSeconds: 1 });
    await inventory.send("POST", "/reservations", { id: lasting, pieceId, quantity: 1 });
    await inventory.database.query("update reservations set expires_at = now() where id = $1", [expiring]);
    await Promise.all([inventory.sweep.run(), inventory.reservations.expire()]);
    await inventory.sweep.run();
    expect(await levelOf(pieceId)).toEqual(level(pieceId, { available: 4, reserved: 1 }));
    const ended = await inventory.send("GET", `/reservations/${expiring}`);
    expect(reservation.parse(await ended.json()).status).toBe("expired");
    expect((await inventory.send("POST", `/reservations/${expiring}/commit`)).status).toBe(409);
    expect((await inventory.send("DELETE", `/reservations/${expiring}`)).status).toBe(204);
  });

  test("lists by state and piece hold those reservations and no others, page by page", async () => {
    const pieceId = newPiece();
    await inventory.send("POST", `/${pieceId}/restock`, { quantity: 9 });
    const ids = Array.from({ length: 5 }, newId).toSorted();
    for (const id of ids) await inventory.send("POST", "/reservations", { id, pieceId, quantity: 1 });
    await inventory.send("DELETE", `/reservations/${ids[0] ?? ""}`);
    const list = async (filter: string) => {
      const seen: string[] = [];
      for (let cursor: string | undefined = ""; cursor !== undefined;) {
        const answer = await inventory.send("GET", `/reservations?limit=2&pieceId=${pieceId}${filter}${cursor}`);
        const page = reservationPage.parse(await answer.json());
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.next === null ? undefined : `&cursor=${page.next}`;
      }
      return seen;
    };
    expect(await list("")).toEqual(ids);
    expect(await list("&status=held")).toEqual(ids.slice(1));
    expect(await list("&status=expired")).toEqual([]);
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
    expect([other.status, (await problemOf(other)).code]).toEqual([422, "idempotency_conflict"]);
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
    ["POST", "/reservations/1/commit", undefined, {}, "id"],
    ["POST", "/reservations", { id, pieceId: "piece-1", quantity: 1, expiresInSeconds: 0 }, {}, "expiresInSeconds"],
    ["GET", "?kind=boat", undefined, {}, "kind"],
    ["GET", "?low=false", undefined, {}, "low"],
    ["GET", "/reservations?status=lost", undefined, {}, "status"],
    ["GET", "/piece-1/movements?cursor=MA", undefined, {}, "cursor"],
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
    ["POST", "/reservations/0197c6a5-0000-7000-8000-000000000001/commit", "inventory:read"],
    ["GET", "/reservations", "inventory:write"],
    ["GET", "/reservations/0197c6a5-0000-7000-8000-000000000001", "inventory:write"],
    ["GET", "/piece-1/movements", "inventory:write"],
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
