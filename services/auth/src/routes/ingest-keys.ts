import { newIngestKey } from "@vitrine/contracts/ingest-keys";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import type { Database } from "@vitrine/kit/postgres";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { Hono } from "hono";
import { z } from "zod";
import type { Caller, CallerContext } from "../caller.ts";
import type { Feed } from "../feed.ts";
import { createIngestKey, type IngestKeyDeps, revokeIngestKey, toIngestKey } from "../ingest-keys.ts";
import type { IngestKeyStore } from "../store/ingest-keys.ts";
import { noStore } from "./no-store.ts";
import { requireRecentProof } from "./require-session.ts";

export interface IngestKeyRouteDeps extends IngestKeyDeps {
  readonly ingestKeys: IngestKeyStore;
  readonly verifier: TokenVerifier;
  readonly database: Database;
  readonly feed: Feed;
  readonly callerOf: (c: CallerContext) => Caller;
}

const position = z.string().regex(/^[a-z][a-z0-9-]{0,62}\/[0-9a-f]{16}$/);
const keyId = z.strictObject({ id: z.string().max(64) });

export function ingestKeyRoutes(deps: IngestKeyRouteDeps) {
  const { ingestKeys, feed, callerOf, now } = deps;
  const mayAdminister = requireScope(deps.verifier, "keys:admin");
  return new Hono<AppEnv>()
    .use(noStore)
    .post("/", mayAdminister, requireRecentProof(deps), validated("json", newIngestKey), async (c) => {
      const grant = c.req.valid("json");
      if (grant.expiresAt !== undefined && Date.parse(grant.expiresAt) <= now())
        throw new ServiceError("invalid_request", "expiresAt: must lie in the future");
      const made = await createIngestKey(deps, grant, c.var.claims.sub, callerOf(c));
      if (made === "too_many_keys")
        throw new ServiceError("too_many_keys", "revoke one of the two active keys of this name first");
      await feed.catchUp();
      return c.json({ ...toIngestKey(made.stored, now()), key: made.key }, 201);
    })
    .get("/", mayAdminister, validated("query", pageQuery(position)), async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const [name = "", id = ""] = cursor?.split("/") ?? [];
      const rows = await ingestKeys.page(limit + 1, { name, id });
      const { items, next } = toPage(rows, limit, (key) => `${key.name}/${key.id}`);
      return c.json({ items: items.map((key) => toIngestKey(key, now())), next });
    })
    .delete("/:id", mayAdminister, validated("param", keyId), async (c) => {
      if (!(await revokeIngestKey(deps, c.req.valid("param").id, c.var.claims.sub, callerOf(c))))
        throw new ServiceError("not_found", "there is no such ingest key");
      await feed.catchUp();
      return c.body(null, 204);
    });
}
