import { currency } from "@vitrine/contracts/money";
import { pieceInput } from "@vitrine/contracts/orders";
import { maison, pieceId, pieceKind } from "@vitrine/contracts/piece";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";

export const byPiece = z.strictObject({ id: pieceId });

const amount = z
  .string()
  .regex(/^\d{1,15}$/, "minor units: a whole number")
  .transform(Number)
  .optional();

export const pieceQuery = pageQuery(pieceId)
  .extend({
    q: z
      .string()
      .max(80)
      .regex(/[\p{L}\p{N}]/u, "at least one letter or digit")
      .optional(),
    maison: maison.optional(),
    kind: pieceKind.optional(),
    currency: currency.optional(),
    minPrice: amount.describe("Minor units, included; with `currency`."),
    maxPrice: amount.describe("Minor units, included; with `currency`."),
    limited: z.literal("true").optional().describe("Only pieces of which there is a limited edition."),
  })
  .refine(({ currency: of, minPrice, maxPrice }) => of !== undefined || (minPrice ?? maxPrice) === undefined, {
    path: ["currency"],
    message: "prices are compared in one currency: name it",
  });

export function catalogueRoutes({ verifier, catalogue, events }: Deps) {
  return new Hono<AppEnv>()
    .get("/", requireScope(verifier, "orders:read"), validated("query", pieceQuery), async (c) => {
      const { cursor, limit, q, limited, ...filter } = c.req.valid("query");
      const asked = { ...filter, search: q, limited: limited !== undefined };
      return c.json(toPage(await catalogue.list(asked, cursor, limit + 1), limit, (piece) => piece.id));
    })
    .get("/:id", requireScope(verifier, "orders:read"), validated("param", byPiece), async (c) => {
      const piece = await catalogue.find(c.req.valid("param").id);
      if (piece === undefined) throw new ServiceError("not_found", "the catalogue has no such piece");
      return c.json(piece);
    })
    .put(
      "/:id",
      requireScope(verifier, "catalog:write"),
      validated("param", byPiece),
      validated("json", pieceInput),
      async (c) => {
        const piece = { ...c.req.valid("param"), ...c.req.valid("json") };
        const change = await catalogue.put(piece);
        if (change !== "unchanged") events.catalogueChanged(piece);
        return c.json(piece, change === "created" ? 201 : 200);
      },
    );
}
