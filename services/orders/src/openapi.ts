import {
  collectionPage,
  collectionSummary,
  customerOverview,
  customerPage,
  holdList,
  movementRequest,
  statementLine,
  statementPage,
  wallet,
} from "@vitrine/contracts/customers";
import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import { money } from "@vitrine/contracts/money";
import {
  cataloguePage,
  order,
  orderEventList,
  orderPage,
  orderRequest,
  piece,
  pieceInput,
} from "@vitrine/contracts/orders";
import { problem } from "@vitrine/contracts/problem";
import { faultOperations } from "@vitrine/kit/faults/operations";
import type { DocumentOptions } from "@vitrine/kit/openapi";
import type { Operation } from "@vitrine/kit/openapi/operation";
import { byPiece, pieceQuery } from "./routes/catalogue.ts";
import { collectionQuery } from "./routes/collection.ts";
import { byCustomer, customerQuery } from "./routes/customers.ts";
import { byId, orderQuery } from "./routes/orders.ts";
import { ownerQuery, statementQuery } from "./routes/wallet.ts";

const mayRead = { by: "token", scopes: ["orders:read"] } as const;
const mayWrite = { by: "token", scopes: ["orders:write"] } as const;
const mayFill = { by: "token", scopes: ["catalog:write"] } as const;

const read = (tag: string, path: string, summary: string, one: Pick<Operation, "answers" | "params" | "query">) =>
  ({ method: "get", tag, path, summary, access: mayRead, ...one }) as const satisfies Operation;

const catalogueOperations: readonly Operation[] = [
  read("Catalogue", "/api/catalog", "Search and filter pieces; by id", {
    query: pieceQuery,
    answers: { 200: { description: "A page of pieces.", body: cataloguePage } },
  }),
  {
    ...read("Catalogue", "/api/catalog/{id}", "One piece", {
      params: byPiece,
      answers: { 200: { description: "The piece.", body: piece } },
    }),
    refusals: [404],
  },
  {
    method: "put",
    tag: "Catalogue",
    path: "/api/catalog/{id}",
    summary: "Add a piece, or change it; orders keep the price they were placed at",
    access: mayFill,
    params: byPiece,
    json: pieceInput,
    answers: {
      200: { description: "The piece as it is now.", body: piece },
      201: { description: "The piece is new.", body: piece },
    },
  },
];

/** What stands in the way, and the amount that would mend it. */
const conflict = {
  409: {
    description: "It does not go with what there is.",
    mediaType: "application/problem+json",
    body: problem.extend({
      price: money.optional().describe("The price now; only with the code `price_changed`."),
      total: money.optional().describe("What has to be paid; only with the code `insufficient_funds`."),
    }),
  },
} as const;

const orderLocation = { location: "Where the order is." };

const orderOperations: readonly Operation[] = [
  {
    method: "post",
    tag: "Orders",
    path: "/api/orders",
    summary: "Buy pieces, which are then held until they are paid, or sell pieces of the own collection",
    access: mayWrite,
    headers: idempotencyHeader,
    json: orderRequest,
    answers: {
      201: { description: "The order; once per idempotency key.", body: order, headers: orderLocation },
      ...conflict,
    },
    refusals: [404, 422],
  },
  {
    ...read("Orders", "/api/orders", "Orders, newest first; operators see everybody's", {
      query: orderQuery,
      answers: { 200: { description: "A page of orders.", body: orderPage } },
    }),
  },
  {
    ...read("Orders", "/api/orders/{id}", "One order", {
      params: byId,
      answers: { 200: { description: "The order.", body: order } },
    }),
    refusals: [404],
  },
  {
    ...read("Orders", "/api/orders/{id}/events", "Every step of an order, with the id of the request that took it", {
      params: byId,
      answers: { 200: { description: "The steps, oldest first.", body: orderEventList } },
    }),
    refusals: [404],
  },
  ...(["pay", "cancel"] as const).map(
    (step) =>
      ({
        method: "post",
        tag: "Orders",
        path: `/api/orders/{id}/${step}`,
        summary: step === "pay" ? "Pay a reserved order from the wallet" : "Call a reserved order off",
        access: mayWrite,
        params: byId,
        headers: idempotencyHeader,
        answers: { 200: { description: "The order as it is now.", body: order }, ...conflict },
        refusals: [404, 422],
      }) as const satisfies Operation,
  ),
];

const customerOperations: readonly Operation[] = [
  read("Customers", "/api/customers", "All customers, for operators", {
    query: customerQuery,
    answers: { 200: { description: "A page of customers.", body: customerPage } },
  }),
  {
    ...read("Customers", "/api/customers/{id}", "A customer: wallet, collection and open orders", {
      params: byCustomer,
      answers: { 200: { description: "The customer.", body: customerOverview } },
    }),
    refusals: [404],
  },
  read("Wallet", "/api/wallet", "Balances by currency", {
    query: ownerQuery,
    answers: { 200: { description: "What is available and what is held.", body: wallet } },
  }),
  read("Wallet", "/api/wallet/holds", "Money set aside for orders", {
    query: ownerQuery,
    answers: { 200: { description: "The holds.", body: holdList } },
  }),
  read("Wallet", "/api/wallet/statement", "What came and went in one currency, newest first", {
    query: statementQuery,
    answers: { 200: { description: "A page of the statement.", body: statementPage } },
  }),
  ...(["deposits", "withdrawals"] as const).map(
    (what) =>
      ({
        method: "post",
        tag: "Wallet",
        path: `/api/wallet/${what}`,
        summary: what === "deposits" ? "Pay in; once per idempotency key" : "Pay out; once per idempotency key",
        access: mayWrite,
        headers: idempotencyHeader,
        json: movementRequest,
        answers: { 201: { description: "The line of the statement.", body: statementLine } },
        refusals: [409, 422],
      }) as const satisfies Operation,
  ),
  read("Collection", "/api/collection", "Pieces owned, with their cost and present value", {
    query: collectionQuery,
    answers: { 200: { description: "A page of the collection.", body: collectionPage } },
  }),
  read("Collection", "/api/collection/summary", "What the collection cost and what it is worth", {
    query: ownerQuery,
    answers: { 200: { description: "Sums by currency.", body: collectionSummary } },
  }),
];

/** @param url public address callers use */
export function ordersDocument(url: string): DocumentOptions {
  return {
    base: "/api/orders",
    title: "Vitrine orders",
    description: "The catalogue, customers with wallet and collection, and their orders.",
    url,
    operations: [
      ...catalogueOperations,
      ...orderOperations,
      ...customerOperations,
      ...faultOperations("/api/orders/faults"),
    ],
  };
}
