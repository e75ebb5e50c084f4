import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import type { HonoRequest, MiddlewareHandler } from "hono";

/**
 * Refuses requests that a browser sends for another site, so that a cookie is of no use to it (ASVS 3.5.1). Every
 * browser says `Sec-Fetch-Site` to what it holds secure, and `Origin` with each POST; a request with neither comes from
 * no browser and carries no cookie but one its sender knows.
 * @throws ServiceError `cross_site_request` (403)
 */
export function refuseCrossSite(ownOrigin: string): MiddlewareHandler<AppEnv> {
  return async function checkOrigin(c, next) {
    if (isForeign(c.req, ownOrigin)) throw crossSite();
    await next();
  };
}

/**
 * The same for a request that a proxy asks about. A page may be opened from a link anywhere: browsers hand the cookie
 * on for that (`SameSite=Lax`), and nothing is changed by it. Only the proxy knows the method, and says it in
 * `X-Forwarded-Method`; without that nothing counts as opening a page.
 * @throws ServiceError `cross_site_request` (403)
 */
export function checkForwarded(request: Pick<HonoRequest, "header">, ownOrigin: string): void {
  const opens =
    request.header("sec-fetch-mode") === "navigate" && reads.has(request.header("x-forwarded-method") ?? "");
  if (!opens && isForeign(request, ownOrigin)) throw crossSite();
}

const reads: ReadonlySet<string> = new Set(["GET", "HEAD"]);

function isForeign(request: Pick<HonoRequest, "header">, ownOrigin: string): boolean {
  const site = request.header("sec-fetch-site");
  const origin = request.header("origin");
  return site === undefined ? origin !== undefined && origin !== ownOrigin : !sameSites.has(site);
}

function crossSite(): ServiceError {
  return new ServiceError("cross_site_request", undefined, { reason: "cross_site" });
}

/** `same-site` is a sibling host, which is not us; `none` is the user's own doing. */
const sameSites: ReadonlySet<string> = new Set(["same-origin", "none"]);
