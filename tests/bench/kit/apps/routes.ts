import { Hono } from "hono";
import { type FindPiece, pieceCount } from "./pieces.ts";

/** Asks another service, as the variant does it, and reads the answer. */
export type Call = () => Promise<string>;

/** What every variant serves; they differ only in what stands around it. */
export function pieceRoutes(find: FindPiece, call: Call): Hono {
  return new Hono()
    .get("/hello", (c) => c.text("hello"))
    .get("/query/:id", async (c) => {
      const piece = await find(Number(c.req.param("id")));
      return piece === undefined ? c.notFound() : c.json(piece);
    })
    .get("/five/:id", async (c) => {
      const first = Number(c.req.param("id"));
      const names: string[] = [];
      for (let n = 0; n < 5; n++) names.push((await find(((first + n) % pieceCount) + 1))?.name ?? "");
      return c.json({ names, answer: await call() });
    });
}
