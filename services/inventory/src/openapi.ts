import { idempotencyHeader } from "@vitrine/contracts/idempotency";
import {
  movementPage,
  reservation,
  reservationPage,
  reservationRequest,
  restock,
  stockLevel,
  stockPage,
} from "@vitrine/contracts/inventory";
import { faultOperations } from "@vitrine/kit/faults/operations";
import type { DocumentOptions } from "@vitrine/kit/openapi";
import type { Operation } from "@vitrine/kit/openapi/operation";
import { byId, reservationQuery } from "./routes/reservations.ts";
import { byPiece, movementQuery, stockQuery } from "./routes/stock.ts";

const mayRead = { by: "token", scopes: ["inventory:read"] } as const;
const mayWrite = { by: "token", scopes: ["inventory:write"] } as const;
const base = "/api/inventory";

const stockOperations: readonly Operation[] = [
  {
    method: "get",
    path: base,
    tag: "Stock",
    summary: "Stock of pieces by id",
    access: mayRead,
    query: stockQuery,
    answers: { 200: { description: "A page of stock levels.", body: stockPage } },
  },
  {
    method: "get",
    path: `${base}/{pieceId}`,
    tag: "Stock",
    summary: "Stock of one piece",
    access: mayRead,
    params: byPiece,
    answers: { 200: { description: "The stock level.", body: stockLevel } },
    refusals: [404],
  },
  {
    method: "get",
    path: `${base}/{pieceId}/movements`,
    tag: "Stock",
    summary: "Every change of a piece's stock, newest first",
    access: mayRead,
    params: byPiece,
    query: movementQuery,
    answers: { 200: { description: "A page of movements; none for a piece nobody has stocked.", body: movementPage } },
  },
  {
    method: "post",
    path: `${base}/{pieceId}/restock`,
    tag: "Stock",
    summary: "Add pieces: a delivery, or what a customer sold back; once per idempotency key",
    access: mayWrite,
    params: byPiece,
    headers: idempotencyHeader,
    json: restock,
    answers: { 200: { description: "The stock level now.", body: stockLevel } },
    refusals: [422],
  },
];

const tag = "Reservations";

const reservationOperations: readonly Operation[] = [
  {
    method: "get",
    path: `${base}/reservations`,
    tag,
    summary: "Reservations by id",
    access: mayRead,
    query: reservationQuery,
    answers: { 200: { description: "A page of reservations.", body: reservationPage } },
  },
  {
    method: "post",
    path: `${base}/reservations`,
    tag,
    summary: "Set pieces aside for a time; under an id of the caller's, which makes it good to repeat",
    access: mayWrite,
    headers: idempotencyHeader,
    json: reservationRequest,
    answers: {
      200: { description: "It was asked for before; as it is now.", body: reservation },
      201: { description: "The pieces are held.", body: reservation },
    },
    refusals: [409, 422],
  },
  {
    method: "get",
    path: `${base}/reservations/{id}`,
    tag,
    summary: "One reservation",
    access: mayRead,
    params: byId,
    answers: { 200: { description: "The reservation.", body: reservation } },
    refusals: [404],
  },
  {
    method: "post",
    path: `${base}/reservations/{id}/commit`,
    tag,
    summary: "Sell what is held; repeated it answers the same",
    access: mayWrite,
    params: byId,
    answers: { 200: { description: "The pieces are sold.", body: reservation } },
    refusals: [404, 409],
  },
  {
    method: "delete",
    path: `${base}/reservations/{id}`,
    tag,
    summary: "Give back what is held; an id nobody has used yet can never be held from then on",
    access: mayWrite,
    params: byId,
    answers: { 204: { description: "Nothing is held under this id, nor ever will be." } },
    refusals: [409],
  },
];

/** @param url public address callers use */
export function inventoryDocument(url: string): DocumentOptions {
  return {
    base,
    title: "Vitrine inventory",
    description: "Stock of pieces, and reservations that keep it for an order.",
    url,
    operations: [...stockOperations, ...reservationOperations, ...faultOperations(`${base}/faults`)],
  };
}
