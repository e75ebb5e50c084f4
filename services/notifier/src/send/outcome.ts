import type { DeliveryFailure } from "@vitrine/contracts/alerts";

/** What became of one attempt. */
export type Outcome =
  | { readonly kind: "delivered"; readonly status: number | null }
  | {
      /** `refused`: the target will not take this message however often it is sent. */
      readonly kind: "failed" | "refused";
      readonly failure: DeliveryFailure;
      readonly status: number | null;
      /** Milliseconds the target wants to be left alone for. */
      readonly retryAfterMs?: number;
    };

export function failed(failure: DeliveryFailure, status: number | null = null): Outcome {
  return { kind: "failed", failure, status };
}
