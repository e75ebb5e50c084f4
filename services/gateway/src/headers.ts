import type { AccessClaims } from "@vitrine/contracts/auth";
import { serviceName } from "@vitrine/contracts/feed";
import { ServiceError } from "@vitrine/kit/errors";
import { hasScope } from "@vitrine/kit/http/auth";
import type { Identity } from "./collector/collector.ts";
import { readSessionHandle, sessionCookie } from "./browser/session-cookie.ts";
import { type Route, upstreams } from "./routes/route.ts";

/** What an upstream may learn of a request. Everything else a client sends ends here, whatever its spelling. */
const forwarded = ["accept", "content-type", "user-agent"] as const;

/** For our own services beside the above; they verify the token again and trust no other header. */
const forwardedToServices = ["accept-language", "authorization", "idempotency-key", "if-none-match"] as const;

/**
 * The headers of a request to a service or an engine, built from an allow-list and never copied. `X-Request-Id` and
 * `traceparent` are added by the kit's fetch. Engines get no credentials (RFC 9700 §4.13, ASVS 4.1.3).
 */
export function requestHeaders({ request, route, clientAddress, token, claims }: HeaderSource): Record<string, string> {
  // Without one Bun would ask for encodings of its own, and the client would get what it did not ask for.
  const headers: Record<string, string> = {
    "accept-encoding": request.headers.get("accept-encoding") ?? "identity",
  };
  const service = upstreams[route.upstream] === "service";
  // Set by the gateway alone: a service throttles by it.
  if (service && clientAddress !== undefined) headers["x-client-address"] = clientAddress;
  const names = service ? [...forwarded, ...forwardedToServices] : forwarded;
  for (const name of names) {
    const value = request.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  if (service && token !== undefined) headers["authorization"] = `Bearer ${token}`;
  if (upstreams[route.upstream] === "viewer" && claims !== undefined) Object.assign(headers, personHeaders(claims));
  if (route.upstream === "auth") Object.assign(headers, sessionHeaders(request));
  return headers;
}

/**
 * For Grafana (`auth.proxy`), which believes them: a client cannot set them, as it cannot any that is not listed above.
 * @throws ServiceError `invalid_token` for a name that a header would not carry as it is
 */
function personHeaders(claims: AccessClaims): Record<string, string> {
  const { sub } = claims;
  if (!identityForm.test(sub))
    throw new ServiceError("invalid_token", "the token names nobody Grafana could know", { reason: "missing_claim" });
  const administers = hasScope(claims, "telemetry:admin");
  return { "x-webauth-user": sub, "x-webauth-role": administers ? "Admin" : "Viewer" };
}

/** For auth alone: its own cookie and no other, and by whose page, or by which request of a proxy, it was sent. */
function sessionHeaders(request: Request): Record<string, string> {
  const headers: Record<string, string> = {};
  const handle = readSessionHandle(request.headers.get("cookie"));
  if (handle !== undefined) headers["cookie"] = `${sessionCookie}=${handle}`;
  for (const name of ["origin", "sec-fetch-mode", "sec-fetch-site", "x-forwarded-method"]) {
    const value = request.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return headers;
}

const identityForm = /^[\x21-\x7e]{1,128}$/;

/**
 * The identity the collector stamps on telemetry: from the verified token alone. Only a key for a prefix lets the client
 * choose, by `X-Service-Name`, a name below it; without that header it speaks for the prefix itself.
 *
 * @throws ServiceError `insufficient_scope` for a name that is not below the prefix
 */
export function identityHeaders(claims: AccessClaims, request: Request): Identity {
  const known = identities.get(claims);
  if (known !== undefined) return known;
  const { service_prefix: prefix } = claims;
  const service = prefix === undefined ? (claims.service ?? claims.client_id) : serviceBelow(prefix, request);
  if (!identityForm.test(claims.client_id) || !identityForm.test(service)) {
    throw new ServiceError("invalid_token", "the token names no usable client", { reason: "missing_claim" });
  }
  const identity = { "x-client-id": claims.client_id, "x-client-service": service };
  if (prefix === undefined) identities.set(claims, identity);
  return identity;
}

/** By the claims of a token, which are one object for as long as it is known. */
const identities = new WeakMap<AccessClaims, Identity>();

function serviceBelow(prefix: string, request: Request): string {
  const named = request.headers.get("x-service-name");
  if (named === null) return prefix.replace(/[._/-]+$/, "");
  if (serviceName.safeParse(named).success && named.startsWith(prefix) && named.length > prefix.length) return named;
  throw new ServiceError("insufficient_scope", `the key may only name services below ${prefix}`, {
    reason: "service_not_allowed",
  });
}

interface HeaderSource {
  readonly request: Request;
  readonly route: Route;
  readonly clientAddress: string | undefined;
  readonly token: string | undefined;
  readonly claims: AccessClaims | undefined;
}

/** RFC 9110 §7.6.1: these speak of one connection. */
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What an upstream says about itself or for an origin that is not its own. */
const neverAnswered = ["server", "x-powered-by", "alt-svc", "date", "x-request-id", "traceparent", "tracestate"];

/** An engine may not move the client, log it in, or ask it for credentials. */
const neverFromEngines = ["location", "refresh", "set-cookie", "www-authenticate", "clear-site-data", "link"];

/** The headers of an upstream's answer that a client may have. */
export function responseHeaders(upstream: Response, route: Route): Headers {
  const headers = new Headers(upstream.headers);
  const named = headers.get("connection")?.split(",") ?? [];
  for (const name of [...hopByHop, ...neverAnswered, ...named.map((token) => token.trim())]) {
    if (tokenForm.test(name)) headers.delete(name);
  }
  for (const name of headers.keys().toArray()) if (name.startsWith("access-control-")) headers.delete(name);
  if (upstreams[route.upstream] !== "service") for (const name of neverFromEngines) headers.delete(name);
  return headers;
}

/** RFC 9110 §5.6.2; anything else named by `Connection` is no header and would make `delete` throw. */
const tokenForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const securityHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** For a page that names no policy of its own. */
const pagePolicy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/**
 * Sets what a browser must know about an answer, after anything an upstream said. What needed a token is not stored
 * (RFC 9111 §5.2.2.5); what is public says so itself.
 */
export function secured(response: Response, route: Route | undefined): Response {
  const { headers } = response;
  const named = isOwnPage(headers, route) ? headers.get("content-security-policy") : null;
  const policy = route?.page === undefined ? named : (named ?? pagePolicy);
  for (const [name, value] of Object.entries(securityHeaders)) headers.set(name, value);
  if (policy !== null) headers.set("content-security-policy", policy);
  if (route?.access !== "public" || !headers.has("cache-control")) headers.set("cache-control", "no-store");
  return response;
}

/** HTML of a service of ours or of a viewer, which know best what they need; an engine's gets the strictest policy. */
function isOwnPage(headers: Headers, route: Route | undefined): boolean {
  const html = headers.get("content-type")?.startsWith("text/html") === true;
  return html && route !== undefined && ["service", "viewer"].includes(upstreams[route.upstream]);
}
