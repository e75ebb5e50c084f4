import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildDocument } from "@vitrine/kit/openapi";
import { createFuzz, type Fuzz } from "@vitrine/kit/testing/fuzz";
import { judgeAnswer, type Listed, listOperations, listRoutes, makeRequest } from "@vitrine/kit/testing/openapi";
import { inventoryDocument } from "./openapi.ts";
import { startInventory } from "./testing/start-inventory.ts";

const document = buildDocument(inventoryDocument("http://localhost:8080"));
const cases = listOperations(document);
const seed = 20_261_121;
const requestsEach = 90;

let inventory: Awaited<ReturnType<typeof startInventory>>;
let reservedId: string;

beforeAll(async () => {
  // Faults are described wherever they are; that requests suffer them is another test's concern.
  inventory = await startInventory({ faults: false });
  reservedId = crypto.randomUUID();
  await inventory.send("POST", "/piece-1/restock", { quantity: 10_000 });
  await inventory.send("POST", "/reservations", { id: reservedId, pieceId: "piece-1", quantity: 1 });
});
afterAll(() => inventory.database.close());

async function send(one: Listed, fuzz: Fuzz, fit: boolean, scope: string | undefined) {
  const headers: Record<string, string> = {};
  if (scope !== undefined) headers["authorization"] = `Bearer ${await inventory.issuer.sign(scope)}`;
  const params = fit ? { id: reservedId, pieceId: "piece-1" } : {};
  const amend = (body: Record<string, unknown>) => {
    if (fit && "pieceId" in body) body["pieceId"] = "piece-1";
  };
  const response = await inventory.app.request(makeRequest(one, fuzz, { fit, headers, params, amend }));
  expect(await judgeAnswer(document, one, response.clone())).toBeUndefined();
  return response.status;
}

test("the document names every route there is, and none there is not", () => {
  expect(listRoutes(inventory.app)).toEqual(cases.map(([name]) => name).toSorted());
});

describe(`requests made from the document (seed ${seed})`, () => {
  test.each(cases)("%s keeps what it says for any input", async (name, one) => {
    const fuzz = createFuzz(seed + name.length * 7_919);
    const statuses = new Set<number>();
    for (let count = 0; count < requestsEach; count += 1)
      statuses.add(await send(one, fuzz, count % 3 === 0, "inventory:read inventory:write faults:admin"));
    const successes = Object.keys(one.operation.responses)
      .map(Number)
      .filter((status) => status < 300);
    // What is sold or released by one of these is over for the others, in whatever order they run.
    if (!/\{id\}|faults/.test(name)) expect(successes.some((status) => statuses.has(status))).toBe(true);
  });

  test.each(cases.filter(([, { operation }]) => operation.security.length > 0))(
    "%s answers nobody without a token, nor one without its scope",
    async (name, one) => {
      const fuzz = createFuzz(seed + name.length);
      expect(await send(one, fuzz, true, undefined)).toBe(401);
      expect(await send(one, fuzz, true, "orders:read")).toBe(403);
    },
  );
});
