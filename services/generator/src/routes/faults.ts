import { faultSwitch } from "@vitrine/contracts/faults";
import type { AppEnv } from "@vitrine/kit/http";
import { faultParams } from "@vitrine/kit/faults/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { Hono } from "hono";
import type { FaultDesk } from "../fault-desk.ts";

/** Faults of all services; each is switched where it happens. */
export function faultDeskRoutes(verifier: TokenVerifier, desk: FaultDesk) {
  const mayAdminister = requireScope(verifier, "faults:admin");
  return new Hono<AppEnv>()
    .get("/", mayAdminister, async (c) => c.json(await desk.overview()))
    .put("/:name", mayAdminister, validated("param", faultParams), validated("json", faultSwitch), async (c) =>
      c.json({ items: await desk.switchOn(c.req.valid("param").name, c.req.valid("json")) }),
    )
    .delete("/:name", mayAdminister, validated("param", faultParams), async (c) => {
      await desk.switchOff(c.req.valid("param").name);
      return c.body(null, 204);
    });
}
