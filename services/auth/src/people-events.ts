import { type MetricAttributes, metrics } from "@vitrine/contracts/telemetry";
import type { TokenRefusal } from "@vitrine/kit/tokens/refusal";
import { counter } from "@vitrine/kit/telemetry";

type Attempt = MetricAttributes<typeof metrics.authAttempts>;
export type AttemptMethod = NonNullable<Attempt["auth.method"]>;
export type FailureReason = NonNullable<Attempt["auth.failure_reason"]>;
export type Limit = NonNullable<MetricAttributes<typeof metrics.authThrottled>["limit"]>;
export type Suspicion = NonNullable<MetricAttributes<typeof metrics.authSuspicions>["reason"]>;
export type SecondFactorChange = NonNullable<MetricAttributes<typeof metrics.twofaChanges>["change"]>;
export type Violation = NonNullable<MetricAttributes<typeof metrics.authAuthorizationViolations>["reason"]>;

/** What people do, as counters; who did it, and the lines of the log, are the audit's. */
export interface PeopleEvents {
  succeeded(method: AttemptMethod): void;
  refused(method: AttemptMethod, reason: FailureReason): void;
  passwordChange(outcome: "success" | "failure"): void;
  tokenReused(): void;
  violated(reason: Violation): void;
  tokenRefused(reason: TokenRefusal): void;
  throttled(limit: Limit): void;
  suspected(reason: Suspicion): void;
  secondFactor(method: "totp" | "backup_code", outcome: "success" | "failure"): void;
  secondFactorChanged(change: SecondFactorChange): void;
}

export function createPeopleEvents(): PeopleEvents {
  const attempts = counter(metrics.authAttempts);
  const passwordChanges = counter(metrics.authPasswordChanges);
  const reuse = counter(metrics.authTokenReuse);
  const violations = counter(metrics.authAuthorizationViolations);
  const tokenRefusals = counter(metrics.authTokenRefusals);
  const throttled = counter(metrics.authThrottled);
  const suspicions = counter(metrics.authSuspicions);
  const secondFactors = counter(metrics.twofaAttempts);
  const secondFactorChanges = counter(metrics.twofaChanges);
  return {
    succeeded: (method) => attempts.add(1, { "auth.method": method, "auth.outcome": "success" }),
    refused: (method, reason) =>
      attempts.add(1, { "auth.method": method, "auth.outcome": "failure", "auth.failure_reason": reason }),
    passwordChange: (outcome) => passwordChanges.add(1, { "auth.outcome": outcome }),
    tokenReused: () => reuse.add(1),
    tokenRefused: (reason) => tokenRefusals.add(1, { reason }),
    throttled: (limit) => throttled.add(1, { limit }),
    suspected: (reason) => suspicions.add(1, { reason }),
    secondFactor: (method, outcome) => secondFactors.add(1, { "auth.method": method, "auth.outcome": outcome }),
    secondFactorChanged: (change) => secondFactorChanges.add(1, { change }),
    violated: (reason) => violations.add(1, { reason }),
  };
}
