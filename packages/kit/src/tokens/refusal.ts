import type { tokenRefusals } from "@vitrine/contracts/telemetry";
import { ServiceError } from "../errors.ts";

/** Why a token was refused, as the telemetry contract lists it. */
export type TokenRefusal = (typeof tokenRefusals)[number];

/** RFC 6750 §3.1. The reason stays with us: telling a forger which check failed helps only the forger. */
export function refused(reason: TokenRefusal): ServiceError {
  const description = reason === "expired" ? "the token has expired" : "the token is not valid";
  return new ServiceError("invalid_token", description, {
    reason,
    headers: {
      "www-authenticate": `Bearer error="invalid_token", error_description="${description}"`,
    },
  });
}
