import { createHash, timingSafeEqual } from "node:crypto";
import { alertmanagerWebhook } from "@vitrine/contracts/alerts";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { bearerToken } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import type { Deps } from "../deps.ts";

/** Where Alertmanager tells of alerts: with a secret of its own, since it has no other way to prove itself. */
export function alertmanagerRoutes(deps: Deps) {
  const expected = digest(deps.config.alertmanagerToken);
  return new Hono<AppEnv>().post(
    "/",
    async (c, next) => {
      // Hashes are of one length, whatever was sent: the time to compare tells nothing.
      if (!timingSafeEqual(digest(bearerToken(c.req.header("authorization"))), expected))
        throw new ServiceError("invalid_token", undefined, {
          reason: "bad_signature",
          headers: { "www-authenticate": 'Bearer error="invalid_token"' },
        });
      await next();
    },
    validated("json", alertmanagerWebhook),
    async (c) => {
      const { changes, messages } = await deps.receiver.receive(c.req.valid("json"));
      deps.dispatcher.wake();
      return c.json({ changed: changes.length, messages });
    },
  );
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
