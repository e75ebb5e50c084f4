import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { createBuckets, type Rate } from "./buckets.ts";
import { tooMany } from "./limits.ts";

export interface ForgeryGuard {
  /**
   * Verifies a token, unless its address has sent too many that were not valid: then only tokens that were found valid
   * before are looked at, so that a neighbour behind the same address is not shut out.
   * @throws ServiceError as the verifier does; `rate_limited` with the reason `quota_failures`
   */
  verify(token: string, address: () => string | undefined): Promise<AccessClaims>;
  /** The claims of a token that was found valid before and still is, without waiting. */
  recall(token: string): AccessClaims | undefined;
}

export interface ForgeryGuardOptions {
  readonly verifier: TokenVerifier;
  /** Tokens that were not valid, per second and address; 0 means without limit. */
  readonly failuresPerSecond: number;
  readonly now?: () => number;
}

const burstSeconds = 4;
const maxAddresses = 10_000;
const maxKnown = 10_000;

/** What costs a signature check; the rest is refused by its form. */
const costly: ReadonlySet<string> = new Set([
  "bad_signature",
  "expired",
  "missing_claim",
  "not_yet_valid",
  "unknown_key",
  "wrong_audience",
  "wrong_issuer",
  "wrong_type",
]);

/** What stays wrong with a token for a while, whatever the key set learns: its text need not be judged again. */
const lasting: ReadonlySet<string> = new Set(
  [...costly].filter((reason) => !["not_yet_valid", "unknown_key"].includes(reason)),
);
const lastingMs = 10_000;
const maxRefused = 2_000;

/** Bounds the work that forged tokens make, by address (ASVS 2.4.1). */
export function createForgeryGuard(options: ForgeryGuardOptions): ForgeryGuard {
  const { verifier, failuresPerSecond, now = Date.now } = options;
  const rate: Rate = { perSecond: failuresPerSecond, burstSeconds };
  const failures = createBuckets(maxAddresses, options.now);
  const known = new Set<string>();
  const refused = new Map<string, { readonly error: ServiceError; readonly untilMs: number }>();

  function judgedBefore(token: string): ServiceError | undefined {
    const judged = refused.get(token);
    if (judged === undefined || judged.untilMs > now()) return judged?.error;
    refused.delete(token);
    return undefined;
  }

  return {
    recall: (token) => verifier.recall?.(token),
    verify: async (token, address) => {
      if (known.has(token)) return await verifier.verify(token);
      const from = address() ?? "unknown";
      const wait = failures.take(from, 0, rate);
      if (wait > 0) throw tooMany("quota_failures", "too many tokens that are not valid", wait);
      try {
        const before = judgedBefore(token);
        if (before !== undefined) throw before;
        const claims = await verifier.verify(token);
        if (known.size >= maxKnown) known.delete(known.values().next().value ?? "");
        known.add(token);
        return claims;
      } catch (error) {
        if (!(error instanceof ServiceError) || error.reason === undefined) throw error;
        if (costly.has(error.reason)) failures.charge(from, 1, rate);
        if (lasting.has(error.reason) && !refused.has(token)) {
          if (refused.size >= maxRefused) refused.delete(refused.keys().next().value ?? "");
          refused.set(token, { error, untilMs: now() + lastingMs });
        }
        throw error;
      }
    },
  };
}
