import { ServiceError } from "../errors.ts";

/** Why a token was refused: a closed set, safe as a metric label. */
export type TokenRefusal =
  | "malformed_token"
  | "bad_signature"
  | "unknown_key"
  | "expired"
  | "not_yet_valid"
  | "wrong_issuer"
  | "wrong_audience"
  | "wrong_type"
  | "missing_claim"
  | "revoked";

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
