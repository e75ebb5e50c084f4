import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startInventory } from "../testing/start-inventory.ts";

let inventory: Awaited<ReturnType<typeof startInventory>>;

beforeAll(async () => {
  inventory = await startInventory();
});
afterAll(() => inventory.database.close());

const expiresInSeconds = 900;
const newId = () => crypto.randomUUID();

async function stocked(quantity: number): Promise<string> {
  const pieceId = `piece-${newId()}`;
  await inventory.stock.restock({ pieceId, quantity }, "test", undefined);
  return pieceId;
}

async function sumOfMoves(pieceId: string) {
  const [row] = await inventory.database.query<{ available: number; reserved: number }>(
    `select sum(available_delta)::int as available, sum(reserved_delta)::int as reserved
     from movements where piece_id = $1`,
    [pieceId],
  );
  return { pieceId, available: row?.available, reserved: row?.reserved };
}

describe("stock", () => {
  test("of 64 who want one last piece at once exactly one gets it", async () => {
    const pieceId = await stocked(1);
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, () =>
        inventory.reservations.reserve({ id: newId(), pieceId, quantity: 1, expiresInSeconds }, "test"),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === "held")).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === "out_of_stock")).toHaveLength(63);
    const level = await inventory.stock.find(pieceId);
    expect(level).toMatchObject({ available: 0, reserved: 1 });
    const kept = await inventory.database.query("select id from reservations where piece_id = $1", [pieceId]);
    expect(kept).toHaveLength(1);
  });

  test("one reservation sent 20 times at once takes stock once", async () => {
    const pieceId = await stocked(10);
    const request = { id: newId(), pieceId, quantity: 3, expiresInSeconds };
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => inventory.reservations.reserve(request, "test")),
    );
    expect(outcomes.filter(({ kind }) => kind === "held")).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === "known")).toHaveLength(19);
    expect(await inventory.stock.find(pieceId)).toMatchObject({ available: 7, reserved: 3 });
  });

  test("reservations, releases and restocks in any order leave stock equal to its movements and never below zero", async () => {
    const pieceId = await stocked(5);
    const ids = Array.from({ length: 40 }, newId);
    const { stock, reservations } = inventory;
    await Promise.all([
      ...ids.map((id, index) =>
        reservations.reserve({ id, pieceId, quantity: 1 + (index % 3), expiresInSeconds }, "test"),
      ),
      ...ids.filter((_, index) => index % 2 === 0).map((id) => reservations.release(id, "test")),
      ...[1, 2, 3, 4].map(() => stock.restock({ pieceId, quantity: 2 }, "test", undefined)),
    ]);
    const level = await inventory.stock.find(pieceId);
    expect({ ...level }).toMatchObject(await sumOfMoves(pieceId));
    const [held] = await inventory.database.query(
      "select coalesce(sum(quantity), 0)::int as quantity from reservations where piece_id = $1 and status = 'held'",
      [pieceId],
    );
    expect(held).toEqual({ quantity: level?.reserved });
    expect((level?.available ?? 0) + (level?.reserved ?? 0)).toBe(5 + 4 * 2);
  });

  test("a reservation that arrives after its release takes nothing", async () => {
    const pieceId = await stocked(1);
    const id = newId();
    expect(await inventory.reservations.release(id, "test")).toEqual({ kind: "nothing" });
    expect(await inventory.reservations.reserve({ id, pieceId, quantity: 1, expiresInSeconds }, "test")).toMatchObject({
      kind: "known",
      reservation: { status: "released" },
    });
    expect(await inventory.stock.find(pieceId)).toMatchObject({ available: 1, reserved: 0 });
  });

  test("a reservation released many times at once gives its pieces back once", async () => {
    const pieceId = await stocked(4);
    const id = newId();
    await inventory.reservations.reserve({ id, pieceId, quantity: 4, expiresInSeconds }, "test");
    const freed = await Promise.all(Array.from({ length: 10 }, () => inventory.reservations.release(id, "test")));
    expect(freed.filter(({ kind }) => kind === "released")).toHaveLength(1);
    expect(await inventory.stock.find(pieceId)).toMatchObject({ available: 4, reserved: 0 });
  });

  test("a restock sent 20 times at once under one key adds once", async () => {
    const pieceId = `piece-${newId()}`;
    const key = newId();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => inventory.stock.restock({ pieceId, quantity: 5 }, "test", key)),
    );
    expect(outcomes.filter(({ kind }) => kind === "added")).toHaveLength(1);
    expect(await inventory.stock.find(pieceId)).toMatchObject({ available: 5, reserved: 0 });
  });

  test("a movement can be neither changed nor deleted", async () => {
    await stocked(1);
    await expect(inventory.database.query("update movements set available_delta = 9")).rejects.toThrow("append-only");
    await expect(inventory.database.query("delete from movements")).rejects.toThrow("append-only");
  });
});
