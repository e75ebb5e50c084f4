import { isScope } from "@vitrine/contracts/scopes";
import { type RateClassName, rateClasses } from "./rate-class.ts";
import { methods, type Route, upstreams } from "./route.ts";

const pathForm = /^(?:\/|(?:\/(?:[A-Za-z0-9._-]+|\*))+(?:\/\*\*)?)$/;

/** Everything wrong with a route table, one line per fault; empty when it can be served. */
export function findFaults(routes: readonly Route[]): readonly string[] {
  const seen = new Set<string>();
  const kinds = new Map<string, string>();
  const faults: string[] = [];
  for (const route of routes) {
    const report = (fault: string) => faults.push(`${route.path}: ${fault}`);
    if (!pathForm.test(route.path) || /\/\.{1,2}(?:\/|$)/.test(route.path)) report("is not a canonical path pattern");
    if (route.methods.length === 0) report("has no methods");
    for (const method of route.methods) {
      if (!methods.includes(method)) report(`has the unknown method ${method}`);
      if (seen.has(`${method} ${route.path}`)) report(`is listed twice for ${method}`);
      seen.add(`${method} ${route.path}`);
    }
    const kind = `${route.errors} ${route.telemetry} ${route.upstream}`;
    if (kind !== (kinds.get(route.path) ?? kind))
      report("differs from its other rows in errors, telemetry or upstream");
    kinds.set(route.path, kind);
    if (!Object.hasOwn(upstreams, route.upstream)) report(`has the unknown upstream ${route.upstream}`);
    const found = [accessFaults(route), forwardFaults(route), limitFaults(route), browserFaults(route, routes)];
    for (const fault of found.flat()) report(fault);
  }
  return faults;
}

function accessFaults(route: Route): string[] {
  if (route.access === "public") return route.basic === true ? ["is open and needs no credentials"] : [];
  if (route.access.length === 0) return ["needs a scope, or to be public"];
  const named: readonly string[] = route.access;
  return named.filter((scope) => !isScope(scope)).map((scope) => `has the unknown scope ${scope}`);
}

function browserFaults({ access, ingest, page, session, upgrade, methods }: Route, routes: readonly Route[]): string[] {
  const faults: string[] = [];
  if (ingest !== undefined && (session ?? page ?? upgrade) !== undefined) faults.push("takes telemetry, not browsers");
  if (session === true && access === "public") faults.push("is open and needs no session");
  if (upgrade !== undefined && methods.join() !== "GET") faults.push("can be upgraded by GET alone");
  const login = routes.find(({ path }) => path === page?.login);
  if (page !== undefined && (session !== true || login?.access !== "public"))
    faults.push("is a page: it needs the session cookie and an open login page");
  return faults;
}

function forwardFaults({ path, forward, upstream, access, ingest }: Route): string[] {
  const faults: string[] = [];
  if (typeof forward === "object" && "strip" in forward && !path.startsWith(`${forward.strip}/`))
    faults.push(`cannot be stripped of ${forward.strip}`);
  if (typeof forward === "object" && "as" in forward && !forward.as.startsWith("/"))
    faults.push(`cannot be forwarded as ${forward.as}`);
  const kind = upstreams[upstream];
  if ((kind === "collector" || kind === "engine") && access === "public")
    faults.push("would open the telemetry pipeline");
  if ((kind === "collector") !== (ingest !== undefined)) faults.push("only ingest goes to the collector");
  return faults;
}

function limitFaults({ access, body, methods, rate, timeoutMs, upstream }: Route): string[] {
  const faults: string[] = [];
  if (rate === "none") {
    if (upstream !== "self") faults.push("asks an upstream and has no rate class");
  } else if (!Object.hasOwn(rateClasses, rate)) faults.push(`has the unknown rate class ${rate as string}`);
  else if ((access === "public") !== (perHolder(rate) === "address"))
    faults.push("counts by address where there is a token, or by token where there is none");
  // Bun closes a connection that was silent for 255 s whatever it is told.
  if (!(timeoutMs > 0 && timeoutMs <= 240_000)) faults.push("needs a timeout of at most 240000 ms");
  if (body === "none") {
    if (methods.some((method) => method === "POST" || method === "PUT" || method === "PATCH"))
      faults.push("takes bodies by its methods and has no body rule");
  } else if (!(body.encodedBytes > 0 && body.decodedBytes >= body.encodedBytes)) {
    faults.push("needs body caps with decoded >= encoded > 0");
  } else if (!(body.arriveMs > 0)) {
    faults.push("needs a time in which bodies arrive");
  }
  return faults;
}

function perHolder(rate: RateClassName): string {
  return rateClasses[rate].per;
}
