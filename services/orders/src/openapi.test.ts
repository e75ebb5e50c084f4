import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { buildDocument, type OpenApiDocument } from "@vitrine/kit/openapi";
import { createFuzz } from "@vitrine/kit/testing/fuzz";
import { judgeAnswer, listOperations, listRoutes, makeRequest } from "@vitrine/kit/testing/openapi";
import { ordersDocument } from "./openapi.ts";
import { startTrading } from "./testing/start-trading.ts";

const document = buildDocument(ordersDocument("http://localhost:8080"));
const cases = listOperations(document);
const seed = 20_261_121;
const requestsEach = 90;

const shop = await startTrading();
let token = "";
let owned = "";
/** A piece nothing here changes the price of. */
let steady = "";
/** An order that can still be paid or cancelled, made anew for each request. */
let open = "";
const customer = "fuzzed";

beforeAll(async () => {
  const scopes = "orders:read orders:write catalog:write faults:admin";
  token = await shop.orders.issuer.sign(scopes, { sub: customer, role: "operator" });
  const send = await shop.orders.as(customer);
  await send("POST", "/api/wallet/deposits", { amount: 1_000_000, currency: "EUR" });
  owned = await shop.piece(1);
  steady = await shop.piece(1);
  const id = await shop.placed(send, { pieceId: owned, quantity: 50 });
  await send("POST", `/api/orders/${id}/pay`);
});
afterAll(() => shop.stop());

describe("the document", () => {
  test("names every route there is, and none there is not", () => {
    expect(listRoutes(shop.orders.app)).toEqual(cases.map(([name]) => name).toSorted());
  });

  test("is served to anybody as it was built", async () => {
    const served = (await (await shop.orders.app.request("/api/orders/openapi.json")).json()) as OpenApiDocument;
    expect(served).toEqual(JSON.parse(JSON.stringify(buildDocument(ordersDocument(shop.orders.issuer.issuer)))));
  });
});

describe(`requests made from the document (seed ${seed})`, () => {
  test.each(cases)("%s keeps what it says for any input", async (name, one) => {
    const fuzz = createFuzz(seed + name.length * 7_919);
    const statuses = new Set<number>();
    const changesOrder = /\{id\}\/(pay|cancel)$/.test(one.path);
    const send = await shop.orders.as(customer);
    for (let count = 0; count < requestsEach; count += 1) {
      if (open === "" || (changesOrder && count % 3 === 0)) {
        await send("POST", "/api/wallet/deposits", { amount: 1_000, currency: "EUR" });
        open = await shop.placed(send, { pieceId: steady, quantity: 1 });
      }
      const ids = one.path.startsWith("/api/orders")
        ? { id: open }
        : { id: one.path.includes("catalog") ? owned : customer };
      const params = count % 3 === 0 && !one.path.includes("faults") ? ids : {};
      const amend = (body: Record<string, unknown>) => {
        if (count % 3 === 0 && "pieceId" in body) Object.assign(body, { pieceId: owned, expectedPrice: undefined });
      };
      const form = { fit: count % 3 === 0, headers: { authorization: `Bearer ${token}` }, params, amend };
      const response = await shop.orders.app.request(makeRequest(one, fuzz, form));
      statuses.add(response.status);
      expect(await judgeAnswer(document, one, response)).toBeUndefined();
    }
    // Faults are not enabled here; anything else must have worked at least once.
    if (!one.path.includes("faults")) expect([...statuses].some((status) => status < 300)).toBe(true);
  });
});
