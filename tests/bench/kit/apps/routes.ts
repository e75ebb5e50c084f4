import { Hono } from "hono";
import type { FindPiece } from "./pieces.ts";

/** What every variant serves; they differ only in what stands around it. */
export function pieceRoutes(find: FindPiece): Hono {
  return new Hono()
    .get("/hello", (c) => c.text("hello"))
    .get("/query/:id", async (c) => {
      const piece = await find(Number(c.req.param("id")));
      return piece === undefined ? c.notFound() : c.json(piece);
    });
}
