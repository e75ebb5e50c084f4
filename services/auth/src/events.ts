import { type MetricAttributes, metrics } from "@vitrine/contracts/telemetry";
import type { Logger } from "@vitrine/kit/log";
import { counter } from "@vitrine/kit/telemetry";

type Attempt = MetricAttributes<typeof metrics.authAttempts>;
type FailureReason = NonNullable<Attempt["auth.failure_reason"]>;

export type GrantMethod = "client_credentials" | "token_exchange";

/** What happens here, as counters and log records. Records carry ids, never names, addresses, passwords or tokens. */
export interface AuthEvents {
  tokenIssued(method: GrantMethod): void;
  tokenRefused(method: GrantMethod, reason: FailureReason): void;
  keyCreated(kid: string): void;
  keyRotationFailed(error: unknown): void;
  /** `refused` are those that somebody revoked and the configuration still names. */
  ingestKeysLoaded(
    stored: number,
    others: { readonly removed: readonly string[]; readonly refused: readonly string[] },
  ): void;
  clientsLoaded(stored: number, disabled: readonly string[]): void;
}

export function createAuthEvents(logger: Logger): AuthEvents {
  const attempts = counter(metrics.authAttempts);

  function succeeded(method: NonNullable<Attempt["auth.method"]>): void {
    attempts.add(1, { "auth.method": method, "auth.outcome": "success" });
  }

  function failed(method: NonNullable<Attempt["auth.method"]>, reason: FailureReason): void {
    attempts.add(1, { "auth.method": method, "auth.outcome": "failure", "auth.failure_reason": reason });
  }

  return {
    tokenIssued: succeeded,
    tokenRefused: failed,
    keyRotationFailed: (err) =>
      logger.error({ action: "auth.key_rotation_failed", err }, "the signing key is due and could not be changed"),
    keyCreated: (kid) => logger.info({ action: "auth.key_created", extra: { kid } }, "a signing key was made"),
    ingestKeysLoaded: (stored, { removed, refused }) => {
      const fields = { action: "auth.ingest_keys_loaded", extra: { stored, removed, refused } } as const;
      if (refused.length === 0) logger.info(fields, `${stored} ingest keys are preset`);
      else logger.warn(fields, "the configuration names ingest keys that were revoked: they stay revoked");
    },
    clientsLoaded: (stored, disabled) =>
      logger.info({ action: "auth.clients_loaded", extra: { stored, disabled } }, `${stored} OAuth clients are preset`),
  };
}
