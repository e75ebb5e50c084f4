import type { AccessClaims } from "@vitrine/contracts/auth";
import { metrics } from "@vitrine/contracts/telemetry";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import type { MiddlewareHandler } from "hono";
import type { Audit } from "../audit.ts";
import type { Caller, CallerContext } from "../caller.ts";
import type { PeopleEvents, Violation } from "../people-events.ts";

export interface ViolationDeps {
  readonly audit: Audit;
  readonly peopleEvents: PeopleEvents;
  readonly callerOf: (c: CallerContext) => Caller;
}

const violations: ReadonlySet<string> = new Set<Violation>([
  "cross_site",
  "demo_visitor",
  "insufficient_scope",
  "no_session",
  "step_up_required",
]);

const refusals = metrics.authTokenRefusals.attributes.reason;

function isViolation(reason: string | undefined): reason is Violation {
  return reason !== undefined && violations.has(reason);
}

/** Stores and counts each refusal of a valid identity, whichever route made it; its answer waits for that. */
export function recordViolations({ audit, peopleEvents, callerOf }: ViolationDeps): MiddlewareHandler<AppEnv> {
  return async function recordViolation(c, next) {
    await next();
    const { error } = c;
    if (!(error instanceof ServiceError)) return;
    // No identity stands behind these: they are counted, and no stranger fills the audit log with them.
    const refusal = refusals.find((reason) => reason === error.reason);
    if (refusal !== undefined) peopleEvents.tokenRefused(refusal);
    if (!isViolation(error.reason)) return;
    const claims: AccessClaims | undefined = c.get("claims");
    peopleEvents.violated(error.reason);
    await audit.record(callerOf(c), {
      event: "authz_fail",
      outcome: "failure",
      action: "request",
      actor: claims?.sub,
      session: claims?.sid,
      client: claims?.client_id,
      reason: error.reason,
    });
  };
}
