import { type MetricAttributes, metrics } from "@vitrine/contracts/telemetry";
import { counter } from "@vitrine/kit/telemetry";

type Attempt = MetricAttributes<typeof metrics.authAttempts>;
export type AttemptMethod = NonNullable<Attempt["auth.method"]>;
export type FailureReason = NonNullable<Attempt["auth.failure_reason"]>;
export type Violation = NonNullable<MetricAttributes<typeof metrics.authAuthorizationViolations>["reason"]>;

/** What people do, as counters; who did it, and the lines of the log, are the audit's. */
export interface PeopleEvents {
  succeeded(method: AttemptMethod): void;
  refused(method: AttemptMethod, reason: FailureReason): void;
  passwordChange(outcome: "success" | "failure"): void;
  tokenReused(): void;
  violated(reason: Violation): void;
}

export function createPeopleEvents(): PeopleEvents {
  const attempts = counter(metrics.authAttempts);
  const passwordChanges = counter(metrics.authPasswordChanges);
  const reuse = counter(metrics.authTokenReuse);
  const violations = counter(metrics.authAuthorizationViolations);
  return {
    succeeded: (method) => attempts.add(1, { "auth.method": method, "auth.outcome": "success" }),
    refused: (method, reason) =>
      attempts.add(1, { "auth.method": method, "auth.outcome": "failure", "auth.failure_reason": reason }),
    passwordChange: (outcome) => passwordChanges.add(1, { "auth.outcome": outcome }),
    tokenReused: () => reuse.add(1),
    violated: (reason) => violations.add(1, { reason }),
  };
}
