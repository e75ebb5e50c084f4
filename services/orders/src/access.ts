import type { AccessClaims } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";

/** Operators and administrators see what belongs to any customer; everybody else what is their own. */
export function seesAll({ role }: AccessClaims): boolean {
  return role === "operator" || role === "admin";
}

/** Whose data a request is about. @throws ServiceError `insufficient_scope` when it is not for the caller to see */
export function customerOf(claims: AccessClaims, asked: string | undefined): string {
  if (asked === undefined || asked === claims.sub) return claims.sub;
  if (seesAll(claims)) return asked;
  throw new ServiceError("insufficient_scope", "only operators see what is another customer's", {
    reason: "other_customer",
  });
}
