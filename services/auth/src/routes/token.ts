import type { AppEnv } from "@vitrine/kit/http";
import type { Logger } from "@vitrine/kit/log";
import { Hono } from "hono";
import { answerOAuthError } from "../oauth-error.ts";
import { parseTokenForm } from "../token-form.ts";
import { type GrantDeps, grantToken } from "../token-grants.ts";
import { noStore } from "./no-store.ts";

export interface TokenRouteDeps extends GrantDeps {
  readonly logger: Logger;
}

export function tokenRoutes(deps: TokenRouteDeps) {
  const app = new Hono<AppEnv>();
  app.onError((error, c) => answerOAuthError(c, error, deps.logger));
  return app.use(noStore).post("/token", async (c) => {
    const form = parseTokenForm(c.req.header("content-type"), await c.req.text());
    return c.json(await grantToken(deps, form, c.req.header("authorization")));
  });
}
