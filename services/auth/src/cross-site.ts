import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import type { MiddlewareHandler } from "hono";

/**
 * Refuses requests that a browser sends for another site, so that a cookie is of no use to it (ASVS 3.5.1). Every
 * browser says `Sec-Fetch-Site` to what it holds secure, and `Origin` with each POST; a request with neither comes from
 * no browser and carries no cookie but one its sender knows.
 * @throws ServiceError `cross_site_request` (403)
 */
export function refuseCrossSite(ownOrigin: string): MiddlewareHandler<AppEnv> {
  return async function checkOrigin(c, next) {
    const site = c.req.header("sec-fetch-site");
    const origin = c.req.header("origin");
    const foreign = site === undefined ? origin !== undefined && origin !== ownOrigin : !sameSites.has(site);
    if (foreign) throw new ServiceError("cross_site_request", undefined, { reason: "cross_site" });
    await next();
  };
}

/** `same-site` is a sibling host, which is not us; `none` is the user's own doing. */
const sameSites: ReadonlySet<string> = new Set(["same-origin", "none"]);
