import { auditCheckQuery } from "@vitrine/contracts/people";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../audit.ts";
import type { AuditWatch } from "../audit-watch.ts";
import { noStore } from "./no-store.ts";
import type { RequestDeps } from "./request-deps.ts";

export interface AuditRouteDeps extends RequestDeps {
  readonly audit: Audit;
  readonly auditWatch: AuditWatch;
}

const position = z.string().regex(/^\d{1,15}$/);

/** The audit log, for administrators: newest first, and whether every row of it still follows from those before. */
export function auditRoutes({ audit, auditWatch, verifier }: AuditRouteDeps) {
  const mayAdminister = requireScope(verifier, "users:admin");
  return new Hono<AppEnv>()
    .use(noStore)
    .get("/", mayAdminister, validated("query", pageQuery(position)), async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const rows = await audit.page(limit + 1, cursor === undefined ? undefined : Number(cursor));
      return c.json(toPage(rows, limit, ({ seq }) => String(seq)));
    })
    .post("/check", mayAdminister, validated("query", auditCheckQuery), async (c) => {
      const { rows, head, brokenAt, follows } = await auditWatch.check(c.req.valid("query").head);
      const intact = brokenAt === undefined && follows !== false;
      return c.json({ intact, rows, head, brokenAt: brokenAt ?? null, follows: follows ?? null });
    });
}
