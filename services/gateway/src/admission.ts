import type { AccessClaims } from "@vitrine/contracts/auth";
import type { ServiceError } from "@vitrine/kit/errors";
import type { AppBindings } from "@vitrine/kit/http";
import { authenticate, authorise, type Credentials } from "./admit.ts";
import { addressKey } from "./client-address.ts";
import type { GatewayDeps } from "./deps.ts";
import { freePassage, type Passage } from "./limits/limits.ts";
import { refusalReason } from "./refuse.ts";
import { rateClasses } from "./routes/rate-class.ts";
import type { Route } from "./routes/route.ts";

/** One request on its way in, as far as it is known: for the refusal it may end in. */
export interface Visit {
  readonly request: Request;
  readonly server: AppBindings["server"];
  /** Bytes of its body, by what it says itself; `NaN` where it does not. */
  readonly declared: number;
  route?: Route;
  /** The row's path; absent when the table has none, so that strangers cannot make label values. */
  pattern?: string;
  claims?: AccessClaims;
  passage?: Passage;
}

/** The client's address; asking for it costs, and most requests are judged without. */
export function addressOf({ request, server }: Visit, { clientAddress }: GatewayDeps): string | undefined {
  return clientAddress({
    address: server?.requestIP(request)?.address,
    forwardedFor: request.headers.get("x-forwarded-for") ?? undefined,
  });
}

/** Finds out who asks and whether they may. @throws ServiceError as `authenticate` and `authorise` do */
export async function admit(visit: Visit, route: Route, deps: GatewayDeps): Promise<Credentials | undefined> {
  if (route.access === "public") return undefined;
  const credentials = await authenticate(visit.request, route, deps, () => addressOf(visit, deps));
  visit.claims = credentials.claims;
  authorise(credentials.claims, route.access);
  return credentials;
}

/**
 * The same without waiting, for a token that was judged before; `undefined` where it needs judging. No cookies.
 * @throws ServiceError as `authorise` does
 */
export function recallClaims(visit: Visit, route: Route, deps: GatewayDeps): AccessClaims | undefined {
  const authorization = visit.request.headers.get("authorization");
  if (route.access === "public" || authorization?.startsWith("Bearer ") !== true) return undefined;
  const claims = deps.guard.recall(authorization.slice(7));
  if (claims === undefined) return undefined;
  visit.claims = claims;
  authorise(claims, route.access);
  return claims;
}

/** Counts the request against the quotas of whoever holds them. @throws ServiceError as `Limits.enter` does */
export function enter(visit: Visit, route: Route, deps: GatewayDeps): Passage | Promise<Passage> {
  if (route.rate === "none") return freePassage;
  const { claims, declared } = visit;
  const per = rateClasses[route.rate].per;
  const holder =
    claims === undefined || per === "address"
      ? addressKey(addressOf(visit, deps))
      : per === "client"
        ? claims.client_id
        : claims.sub;
  // A body that is too large is refused before it is read: it uses nothing up.
  const counts = route.body !== "none" && declared <= route.body.encodedBytes;
  return deps.limits.enter(route.rate, holder, counts ? declared : 0);
}

/** Counts and logs what was refused, with its reason. */
export function noteRefusal({ route, pattern, claims }: Visit, error: ServiceError, deps: GatewayDeps): void {
  deps.events.refused({
    reason: refusalReason(error),
    status: error.status,
    route: pattern,
    clientId: claims?.client_id,
    upstream: route?.upstream,
    cause: error.cause ?? error,
  });
}
