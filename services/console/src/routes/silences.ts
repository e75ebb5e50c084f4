import { silenceRequest } from "@vitrine/contracts/console";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import type { Deps } from "../deps.ts";
import { createPageContext, type PersonNames } from "../page-context.ts";

const hourMs = 3_600_000;
const made = z.object({ silenceID: z.string() });

/** Silences one alert that fires, by all of its labels: no other is kept from anybody. It ends by itself. */
export function silenceRoutes(deps: Deps, names: PersonNames) {
  const contextOf = createPageContext(deps, names);
  return new Hono<AppEnv>().post(
    "/",
    requireScope(deps.verifier, "telemetry:admin"),
    validated("json", silenceRequest),
    async (c) => {
      const { fingerprint, forHours, comment } = c.req.valid("json");
      const { engines, ask, person } = await contextOf(c);
      const firing = await engines.alertmanager.firing();
      if (!firing.ok) throw new ServiceError("upstream_failed", "Alertmanager gave no usable answer");
      const alert = firing.value.find((one) => one.fingerprint === fingerprint);
      if (alert === undefined) throw new ServiceError("not_found", "this alert does not fire any more");
      const answer = await ask({
        source: "alertmanager",
        path: "/alertmanager/api/v2/silences",
        method: "POST",
        body: {
          matchers: Object.entries(alert.labels).map(([name, value]) => ({
            name,
            value,
            isRegex: false,
            isEqual: true,
          })),
          startsAt: new Date(deps.now()).toISOString(),
          endsAt: new Date(deps.now() + forHours * hourMs).toISOString(),
          createdBy: person.name,
          comment,
        },
        answer: made,
      });
      if (!answer.ok) throw new ServiceError("upstream_failed", answer.missing.detail);
      deps.logger.info(
        { action: "alert.silenced", user: person.id, extra: { alert: alert.name, hours: forHours } },
        "an alert was silenced",
      );
      return c.json({ id: answer.value.silenceID }, 201);
    },
  );
}
