import { auditCheckQuery, auditQuery, type AuditRecord } from "@vitrine/contracts/people";
import type { AppEnv } from "@vitrine/kit/http";
import { hasScope, requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import type { Database } from "@vitrine/kit/postgres";
import { Hono } from "hono";
import { z } from "zod";
import type { Audit } from "../audit.ts";
import type { AuditRow } from "../audit-chain.ts";
import { idsOf, namesOf, type NamesOptions } from "../audit-names.ts";
import type { AuditPosition } from "../audit-search.ts";
import type { AuditWatch } from "../audit-watch.ts";
import { noStore } from "./no-store.ts";
import type { RequestDeps } from "./request-deps.ts";

export interface AuditRouteDeps extends RequestDeps {
  readonly audit: Audit;
  readonly auditWatch: AuditWatch;
}

const position = z.string().regex(/^\d{1,15}\/\d{1,15}$/);

const listQuery = pageQuery(position)
  .extend(auditQuery)
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ["from"],
    error: "must be earlier than to",
  });

/** The audit log, for administrators: newest first, and whether every row of it still follows from those before. */
export function auditRoutes({ audit, auditWatch, database, verifier }: AuditRouteDeps) {
  const mayAdminister = requireScope(verifier, "users:admin");
  return new Hono<AppEnv>()
    .use(noStore)
    .get("/", mayAdminister, validated("query", listQuery), async (c) => {
      const { limit, cursor, who, from, to, ...filter } = c.req.valid("query");
      const names = { keys: hasScope(c.var.claims, "keys:admin") };
      const parties = who === undefined ? undefined : await idsOf(database, who, names);
      const rows = await audit.page({
        limit: limit + 1,
        before: toPosition(cursor),
        filter: { ...filter, parties, fromMs: from, toMs: to },
      });
      const { items, next } = toPage(rows, limit, ({ at, seq }) => `${Date.parse(at)}/${seq}`);
      return c.json({ items: await withNames(database, items, names), next });
    })
    .post("/check", mayAdminister, validated("query", auditCheckQuery), async (c) => {
      const { rows, head, brokenAt, follows } = await auditWatch.check(c.req.valid("query").head);
      const intact = brokenAt === undefined && follows !== false;
      return c.json({ intact, rows, head, brokenAt: brokenAt ?? null, follows: follows ?? null });
    });
}

function toPosition(cursor: string | undefined): AuditPosition | undefined {
  if (cursor === undefined) return undefined;
  const [atMs = 0, seq = 0] = cursor.split("/").map(Number);
  return { atMs, seq };
}

async function withNames(
  database: Database,
  rows: readonly AuditRow[],
  options: NamesOptions,
): Promise<readonly AuditRecord[]> {
  const ids = new Set(rows.flatMap(({ actor, target }) => [actor, target]).filter((id) => id !== null));
  const names = await namesOf(database, [...ids], options);
  const knownAs = (id: string | null) => (id === null ? null : (names.get(id) ?? null));
  return rows.map((row) => ({ ...row, actorKnownAs: knownAs(row.actor), targetKnownAs: knownAs(row.target) }));
}
