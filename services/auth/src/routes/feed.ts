import { feedQuery, keyUsage } from "@vitrine/contracts/feed";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { Hono } from "hono";
import type { Feed } from "../feed.ts";
import type { IngestKeyStore } from "../store/ingest-keys.ts";
import { noStore } from "./no-store.ts";

export interface FeedRouteDeps {
  readonly feed: Feed;
  readonly ingestKeys: IngestKeyStore;
  readonly verifier: TokenVerifier;
}

/** What gateways follow to judge tokens and ingest keys by themselves. */
export function feedRoutes({ feed, ingestKeys, verifier }: FeedRouteDeps) {
  const mayFollow = requireScope(verifier, "feed:read");
  return new Hono<AppEnv>()
    .use(noStore)
    .get("/", mayFollow, validated("query", feedQuery), async (c) => {
      const { after, wait } = c.req.valid("query");
      return c.json(await feed.read(after, wait * 1_000, c.req.raw.signal));
    })
    .post("/used", mayFollow, validated("json", keyUsage), async (c) => {
      await ingestKeys.touch(c.req.valid("json").keys);
      return c.body(null, 204);
    });
}
