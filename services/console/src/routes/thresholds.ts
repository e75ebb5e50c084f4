import { thresholdChange } from "@vitrine/contracts/thresholds";
import type { AppEnv } from "@vitrine/kit/http";
import { checkScope, requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import type { Deps } from "../deps.ts";

/** What people set as worth an alert: for everyone, which needs `alerts:admin`, or for their own pages. */
export function thresholdRoutes({ thresholds, verifier }: Pick<Deps, "thresholds" | "verifier">) {
  const mayRead = requireScope(verifier, "telemetry:read");
  return new Hono<AppEnv>()
    .get("/", mayRead, async (c) => c.json(await thresholds.list(c.var.claims.sub)))
    .post("/", mayRead, validated("json", thresholdChange), async (c) => {
      const change = c.req.valid("json");
      if (change.scope === "everyone") checkScope(c.var.claims, ["alerts:admin"]);
      await thresholds.change(change, c.var.claims.sub);
      return c.json(await thresholds.list(c.var.claims.sub));
    });
}
