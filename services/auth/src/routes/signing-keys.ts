import { keyRotation, type SigningKey } from "@vitrine/contracts/signing-keys";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import type { Database } from "@vitrine/kit/postgres";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { Hono } from "hono";
import { isPublished, pickSigningKey } from "../key-ring.ts";
import type { Audit } from "../audit.ts";
import type { Caller, CallerContext } from "../caller.ts";
import type { Feed } from "../feed.ts";
import type { KeyRotation } from "../key-rotation.ts";
import type { StoredSigningKey } from "../store/signing-keys.ts";
import { noStore } from "./no-store.ts";
import { requireRecentProof } from "./require-session.ts";

export interface SigningKeyRouteDeps {
  readonly rotation: KeyRotation;
  readonly verifier: TokenVerifier;
  readonly database: Database;
  readonly audit: Audit;
  readonly feed: Feed;
  readonly callerOf: (c: CallerContext) => Caller;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function signingKeyRoutes(deps: SigningKeyRouteDeps) {
  const { rotation, verifier, audit, feed, callerOf, now } = deps;
  const mayAdminister = requireScope(verifier, "signing-keys:admin");

  async function list(): Promise<readonly SigningKey[]> {
    const at = now();
    const keys = await rotation.list();
    const signing = pickSigningKey(keys, at)?.kid;
    return keys.map((key) => toSigningKey(key, signing, at));
  }

  return new Hono<AppEnv>()
    .use(noStore)
    .get("/", mayAdminister, async (c) => c.json({ items: await list() }))
    .post("/", mayAdminister, requireRecentProof(deps), validated("json", keyRotation), async (c) => {
      const { mode } = c.req.valid("json");
      const { key, made } = await rotation.rotate(mode);
      await audit.record(callerOf(c), {
        event: "authz_admin",
        outcome: "success",
        action: "signing_key_rotate",
        actor: c.var.claims.sub,
        target: key.kid,
        reason: mode,
        critical: mode === "compromised",
      });
      await feed.catchUp();
      return c.json({ items: await list() }, made ? 201 : 200);
    });
}

function toSigningKey(key: StoredSigningKey, signing: string | undefined, atMs: number): SigningKey {
  return {
    kid: key.kid,
    status: statusOf(key, signing, atMs),
    signsFrom: new Date(key.notBeforeMs).toISOString(),
    ...(key.retiredAtMs === undefined ? {} : { publishedUntil: new Date(key.retiredAtMs).toISOString() }),
  };
}

function statusOf(key: StoredSigningKey, signing: string | undefined, atMs: number): SigningKey["status"] {
  if (!isPublished(key, atMs)) return "retired";
  if (key.notBeforeMs > atMs) return "next";
  return key.kid === signing ? "signing" : "retiring";
}
