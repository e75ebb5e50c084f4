import { ServiceError } from "@vitrine/kit/errors";
import type { Route } from "../routes/route.ts";

/** `same-site` is a sibling host, which is not us; `none` is the user's own doing, such as a typed address. */
const ownSites: ReadonlySet<string> = new Set(["same-origin", "none"]);

/**
 * Refuses what a browser sends with its session cookie for another site (ASVS 3.5.1, 4.4.2). What changes something, or
 * opens a WebSocket (whose answer any site could read), must say that it comes from our own origin; a page may be
 * opened from a link anywhere.
 *
 * @throws ServiceError `cross_site_request` (403)
 */
export function checkOrigin(request: Request, route: Route, ownOrigin: string): void {
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  const reads = (request.method === "GET" || request.method === "HEAD") && route.upgrade === undefined;
  if (reads && route.page !== undefined) return;
  const foreign = (origin !== null && origin !== ownOrigin) || (site !== null && !ownSites.has(site));
  const silent = !reads && origin === null;
  if (foreign || silent) {
    throw new ServiceError("cross_site_request", "a session cookie is for our own pages only", {
      reason: "cross_site",
    });
  }
}
