import { z } from "zod";

/**
 * Headers of a request that may be sent twice and must take effect once (draft-ietf-httpapi-idempotency-key-header).
 * The key is the caller's own: the same key with the same body gets the same answer, with another body 422
 * `idempotency_conflict`.
 */
export const idempotencyHeader = z.object({
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, "1 to 128 visible ASCII characters")
    .optional(),
});
