import { grantTypes } from "@vitrine/contracts/auth";
import type { AppEnv } from "@vitrine/kit/http";
import type { Logger } from "@vitrine/kit/log";
import { type Context, Hono } from "hono";
import { requireClient } from "../client-authentication.ts";
import { answerOAuthError } from "../oauth-error.ts";
import { grantRenewal, type RefreshGrantDeps } from "../refresh-grant.ts";
import { isRefreshToken, revokeRefreshToken } from "../sessions.ts";
import { parseTokenForm, requireParameter, type TokenForm } from "../token-form.ts";
import { type GrantDeps, grantToken } from "../token-grants.ts";
import { introspect, revokeToken, type TokenStateDeps } from "../token-state.ts";
import { noStore } from "./no-store.ts";
import type { RequestDeps } from "./request-deps.ts";

export interface TokenRouteDeps
  extends GrantDeps, RefreshGrantDeps, Pick<RequestDeps, "callerOf" | "database">, TokenStateDeps {
  readonly logger: Logger;
}

/** Endpoints for OAuth clients, each of which authenticates itself: nobody scans for tokens here (RFC 7662 §2.1). */
export function tokenRoutes(deps: TokenRouteDeps) {
  const app = new Hono<AppEnv>();
  app.onError((error, c) => answerOAuthError(c, error, deps.logger));
  return app
    .use(noStore)
    .post("/token", async (c) => {
      const form = await readForm(c);
      if (form.get("grant_type") === grantTypes.refreshToken)
        return c.json(await grantRenewal(deps, form, deps.callerOf(c)));
      return c.json(await grantToken(deps, form, c.req.header("authorization"), deps.callerOf(c)));
    })
    .post("/introspect", async (c) => {
      const form = await readForm(c);
      await requireClient(deps, c.req.header("authorization"), form, deps.callerOf(c));
      return c.json(await introspect(deps, requireParameter(form, "token")));
    })
    .post("/revoke", async (c) => {
      const form = await readForm(c);
      const caller = deps.callerOf(c);
      const presented = form.get("token") ?? "";
      if (isRefreshToken(presented)) {
        await revokeRefreshToken(deps, presented, caller);
        return c.body(null, 200);
      }
      const client = await requireClient(deps, c.req.header("authorization"), form, caller);
      await revokeToken(deps, client, requireParameter(form, "token"), caller);
      return c.body(null, 200);
    });
}

async function readForm(c: Context<AppEnv>): Promise<TokenForm> {
  return parseTokenForm(c.req.header("content-type"), await c.req.text());
}
