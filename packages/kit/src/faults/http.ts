import { faultName, faultRequest } from "@vitrine/contracts/faults";
import { Hono, type MiddlewareHandler } from "hono";
import { z } from "zod";
import { ServiceError } from "../errors.ts";
import { requireScope } from "../http/auth.ts";
import type { AppEnv } from "../http/env.ts";
import { validated } from "../http/validate.ts";
import type { TokenVerifier } from "../tokens/verifier.ts";
import type { Faults } from "./faults.ts";

/**
 * Does to requests what the faults that are on say: waits, fails, or is down. To be mounted before the routes; where
 * faults are not enabled there is nothing to mount. What switches faults is spared.
 */
export function injectFaults(faults: Faults): MiddlewareHandler<AppEnv> {
  return async function injectFault(c, next) {
    if (faults.isAnyOn() && !/\/faults(\/|$)/.test(c.req.path)) await suffer(faults);
    await next();
  };
}

async function suffer(faults: Faults): Promise<void> {
  if (faults.parametersOf("inventory_down") !== undefined)
    throw new ServiceError("unavailable", undefined, { reason: "fault", retryAfterSeconds: 2 });
  const latency = faults.parametersOf("latency");
  if (latency !== undefined) await Bun.sleep(latency.delayMs);
  const tail = faults.parametersOf("tail_latency");
  if (tail !== undefined && Math.random() < tail.ratio) await Bun.sleep(tail.delayMs);
  const errors = faults.parametersOf("errors");
  if (errors !== undefined && Math.random() < errors.ratio)
    throw new ServiceError("internal", undefined, { reason: "fault" });
}

/** Parameters of the routes below, for their description. */
export const faultParams = z.strictObject({ name: faultName });

/**
 * `GET /` what is on, `PUT /:name` switches on, `DELETE /:name` off; all need `faults:admin` and answer 404 where faults
 * are not enabled. To be mounted at `/api/<service>/faults`.
 */
export function faultRoutes(verifier: TokenVerifier, faults: Faults) {
  const mayAdminister = requireScope(verifier, "faults:admin");
  return new Hono<AppEnv>()
    .get("/", mayAdminister, (c) => {
      if (!faults.enabled) throw new ServiceError("not_found", "fault injection is not enabled here");
      return c.json({ items: faults.list() });
    })
    .put("/:name", mayAdminister, validated("param", faultParams), validated("json", faultRequest), (c) =>
      c.json(faults.switchOn(c.req.valid("param").name, c.req.valid("json"))),
    )
    .delete("/:name", mayAdminister, validated("param", faultParams), (c) => {
      faults.switchOff(c.req.valid("param").name);
      return c.body(null, 204);
    });
}
