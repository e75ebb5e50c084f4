import { expect, test } from "bun:test";
import { judgeRetry } from "./reservation-retry.ts";

const createdAt = new Date("2026-01-02T03:04:05.000Z");
const request = { id: "0197c6a5-0000-7000-8000-000000000001", pieceId: "piece-1", quantity: 2, expiresInSeconds: 900 };
const expiresAt = new Date("2026-01-02T03:19:05.000Z");
const held = { pieceId: "piece-1", quantity: 2, status: "held", createdAt, expiresAt } as const;

test.each([
  ["the same request gets the reservation", held, "held"],
  ["a released one is told as released", { ...held, status: "released" }, "released"],
  ["one released before it was asked for is told as released", { pieceId: null, createdAt }, "released"],
] as const)("%s", (_, stored, status) => {
  const { id, pieceId, quantity } = request;
  expect(judgeRetry(stored, request)).toMatchObject({
    kind: "known",
    reservation: { id, pieceId, quantity, status, createdAt: createdAt.toISOString() },
  });
});

test.each([
  ["another piece", { ...held, pieceId: "piece-2" }],
  ["another quantity", { ...held, quantity: 1 }],
] as const)("%s under the same id is a conflict", (_, stored) => {
  expect(judgeRetry(stored, request)).toEqual({ kind: "conflict" });
});
