import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";

export const byName = z.strictObject({ name: z.string().regex(/^\w{1,128}$/, "the name of an alert") });

/** Where the runbook links of messages lead: the text as it is, which no browser takes for anything else. */
export function runbookRoutes({ verifier, runbooks }: Deps) {
  return new Hono<AppEnv>().get(
    "/:name",
    requireScope(verifier, "alerts:read", "alerts:admin"),
    validated("param", byName),
    async (c) => {
      const text = await runbooks.find(c.req.valid("param").name);
      if (text === undefined) throw new ServiceError("not_found", "this alert has no runbook");
      return c.text(text, 200, { "x-content-type-options": "nosniff" });
    },
  );
}
