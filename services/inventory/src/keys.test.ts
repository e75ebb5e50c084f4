import { afterAll, expect, test } from "bun:test";
import { reservationPage, stockLevel } from "@vitrine/contracts/inventory";
import { problem } from "@vitrine/contracts/problem";
import { startInventory } from "./testing/start-inventory.ts";

const inventory = await startInventory();
afterAll(() => inventory.database.close());

const newId = () => crypto.randomUUID();

async function stocked(quantity: number): Promise<string> {
  const pieceId = `piece-${newId()}`;
  await inventory.send("POST", `/${pieceId}/restock`, { quantity });
  return pieceId;
}

const levelOf = async (pieceId: string) => stockLevel.parse(await (await inventory.send("GET", `/${pieceId}`)).json());

test("a key reserves once: under another id, or for a delivery, it is a conflict that takes nothing", async () => {
  const pieceId = await stocked(9);
  const headers = { "idempotency-key": newId() };
  const request = { id: newId(), pieceId, quantity: 1 };
  const reserve = (body: object) => inventory.send("POST", "/reservations", body, headers);
  expect((await reserve(request)).status).toBe(201);
  expect((await reserve(request)).status).toBe(200);
  const others = await Promise.all(Array.from({ length: 8 }, () => reserve({ ...request, id: newId() })));
  others.push(await inventory.send("POST", `/${pieceId}/restock`, { quantity: 1 }, headers));
  for (const other of others)
    expect([other.status, problem.parse(await other.json()).code]).toEqual([422, "idempotency_conflict"]);
  expect(await levelOf(pieceId)).toMatchObject({ available: 8, reserved: 1, sold: 0 });
  const listed = await inventory.send("GET", `/reservations?pieceId=${pieceId}`);
  expect(reservationPage.parse(await listed.json()).items.map(({ id }) => id)).toEqual([request.id]);
});

test("of reservations and deliveries that come at once under one key, one is made and the others are conflicts", async () => {
  for (let round = 0; round < 10; round += 1) {
    const pieceId = await stocked(50);
    const headers = { "idempotency-key": newId() };
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        index % 2 === 0
          ? inventory.send("POST", "/reservations", { id: newId(), pieceId, quantity: 1 }, headers)
          : inventory.send("POST", `/${pieceId}/restock`, { quantity: 2 }, headers),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    const { available, reserved } = await levelOf(pieceId);
    if (statuses.includes(201)) expect([available, reserved]).toEqual([49, 1]);
    else expect([available, reserved]).toEqual([52, 0]);
    expect(statuses.filter((status) => status === 201).length).toBeLessThanOrEqual(1);
    expect(statuses.filter((status) => ![200, 201, 422].includes(status))).toEqual([]);
  }
});

test("a reservation that found too little leaves its key free", async () => {
  const pieceId = await stocked(1);
  const headers = { "idempotency-key": newId() };
  const reserve = (quantity: number) =>
    inventory.send("POST", "/reservations", { id: newId(), pieceId, quantity }, headers);
  expect((await reserve(2)).status).toBe(409);
  expect((await reserve(1)).status).toBe(201);
});
