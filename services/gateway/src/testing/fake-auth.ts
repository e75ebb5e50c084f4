import type { FeedAnswer, IngestKeyRecord, RevocationKind } from "@vitrine/contracts/feed";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import type { TestIssuer } from "@vitrine/kit/testing/tokens";

export interface FakeAuth {
  readonly url: string;
  revoke(kind: RevocationKind, id: string): void;
  /** Makes an ingest key that the feed tells of; returns the key itself. */
  issueKey(record: Partial<IngestKeyRecord> & Pick<IngestKeyRecord, "scopes">): {
    readonly key: string;
    readonly id: string;
  };
  /** While down every request is answered 500. */
  down: boolean;
  stop(): Promise<void>;
}

/** The part of the auth service that gateways talk to: key set, token endpoint and the feed with its long polling. */
export function startFakeAuth(issuer: TestIssuer): FakeAuth {
  const news: Pick<FeedAnswer, "revocations" | "keys">[] = [];
  let changed = Promise.withResolvers<void>();

  function tell(item: Pick<FeedAnswer, "revocations" | "keys">): void {
    news.push(item);
    changed.resolve();
    changed = Promise.withResolvers();
  }

  async function feed(query: URLSearchParams): Promise<Response> {
    const after = query.get("after");
    if (after !== null && Number(after) >= news.length) {
      await Promise.race([changed.promise, Bun.sleep(Number(query.get("wait")) * 1_000)]);
    }
    const since = news.slice(Number(after ?? 0));
    return Response.json({
      seq: news.length,
      snapshot: after === null,
      revocations: since.flatMap(({ revocations }) => revocations),
      keys: since.flatMap(({ keys }) => keys),
    } satisfies FeedAnswer);
  }

  const auth = {
    down: false,
    revoke: (kind: RevocationKind, id: string) =>
      tell({ revocations: [{ kind, id, atMs: Date.now(), expiresAtMs: Date.now() + 900_000 }], keys: [] }),
    issueKey: (record: Partial<IngestKeyRecord> & Pick<IngestKeyRecord, "scopes">) => {
      const { id, key, hash } = makeIngestKey();
      const made = { id, hash: Buffer.from(hash).toString("base64url"), clientId: "key:shop", ...record };
      tell({ revocations: [], keys: [made] });
      return { key, id };
    },
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      if (auth.down) return new Response("down", { status: 500 });
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/api/auth/feed") return await feed(searchParams);
      if (pathname === "/api/auth/feed/used") return new Response(null, { status: 204 });
      if (pathname !== "/oauth/token") return await issuer.jwksFetch(request.url);
      const token = await issuer.sign("feed:read telemetry:write", { client_id: "gateway", service: "gateway" });
      return Response.json({ access_token: token, token_type: "Bearer", expires_in: 900, scope: "feed:read" });
    },
  });
  return Object.assign(auth, { url: server.url.origin, stop: () => server.stop(true) });
}
