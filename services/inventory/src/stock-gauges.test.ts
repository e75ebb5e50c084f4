import { afterEach, beforeEach, expect, test } from "bun:test";
import { startTestTelemetry, type TestTelemetry } from "@vitrine/kit/testing/telemetry";
import { startInventory } from "./testing/start-inventory.ts";

let telemetry: TestTelemetry;
let inventory: Awaited<ReturnType<typeof startInventory>>;

beforeEach(async () => {
  telemetry = startTestTelemetry();
  inventory = await startInventory();
});
afterEach(async () => {
  await inventory.database.close();
  await telemetry.stop();
});

const newId = () => crypto.randomUUID();

test("stock is told by maison and kind, what runs low as such, and what became of reservations with their age", async () => {
  const { send, sweep } = inventory;
  await send("POST", "/one/restock", { quantity: 8, maison: "Aubrelle", kind: "watch" });
  await send("POST", "/two/restock", { quantity: 3, maison: "Aubrelle", kind: "watch" });
  await send("POST", "/three/restock", { quantity: 9 });
  const [held, sold, expired] = [newId(), newId(), newId()];
  for (const id of [held, sold, expired]) await send("POST", "/reservations", { id, pieceId: "one", quantity: 2 });
  await send("POST", "/reservations", { id: newId(), pieceId: "two", quantity: 9 });
  await send("POST", `/reservations/${sold}/commit`);
  await inventory.database.query(
    "update reservations set created_at = now() - interval '1 hour', expires_at = now() where id = $1",
    [expired],
  );
  await inventory.database.query("update reservations set created_at = now() - interval '1 minute' where id = $1", [
    held,
  ]);
  await sweep.run();

  const points = async (name: string) =>
    Object.fromEntries(
      (await telemetry.points(name)).map(({ attributes, value }) => [Object.values(attributes).join(" "), value]),
    );
  expect(await points("inventory.stock")).toEqual({
    "Aubrelle watch available": 7,
    "Aubrelle watch reserved": 2,
    "unknown unknown available": 9,
    "unknown unknown reserved": 0,
  });
  expect(await points("inventory.stock.low")).toEqual({ "Aubrelle watch": 1, "unknown unknown": 0 });
  expect(await points("inventory.reservations.held")).toEqual({ "": 1 });
  const [oldest] = await telemetry.points("inventory.reservations.oldest");
  expect(oldest?.value).toBeWithin(60, 90);
  expect(await points("inventory.reservations")).toEqual({ held: 3, out_of_stock: 1, committed: 1, expired: 1 });
  expect(await points("inventory.reservation.age")).toEqual({ committed: 1, expired: 1 });
});

test("however many maisons there are, metrics tell fifty apart and add up the rest", async () => {
  await inventory.database.query(
    "insert into stock (piece_id, maison, kind, available, reserved) select 'many-' || n, 'Many ' || n, 'couture', 1, 0 from generate_series(1, 80) n",
  );
  await inventory.sweep.run();
  const stock = (await telemetry.points("inventory.stock")).filter(
    ({ attributes }) => attributes["state"] === "available",
  );
  const maisons = new Set(stock.map(({ attributes }) => attributes["piece.maison"]));
  expect(maisons.size).toBeLessThanOrEqual(51);
  expect(maisons).toContain("other");
  expect(
    stock.filter(({ attributes }) => attributes["piece.kind"] === "couture").reduce((sum, { value }) => sum + value, 0),
  ).toBe(80);
});
