import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { Authenticator } from "./admit.ts";
import type { Collector } from "./collector/collector.ts";
import type { ClientAddress } from "./client-address.ts";
import type { Deadlines } from "./deadlines.ts";
import type { GatewayEvents } from "./events.ts";
import type { Limits } from "./limits/limits.ts";
import type { ErrorForm, Route, Upstream } from "./routes/route.ts";
import type { Tails } from "./tail.ts";

export type UpstreamUrls = Readonly<Record<Exclude<Upstream, "self">, string>>;

export interface GatewayDeps extends Authenticator {
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly limits: Limits;
  readonly clientAddress: ClientAddress;
  readonly events: GatewayEvents;
  readonly tails: Tails;
  readonly collector: Collector;
  readonly deadlines: Deadlines;
  /** Addresses without a trailing slash. */
  readonly upstreams: UpstreamUrls;
  readonly routes: readonly Route[];
  /** The form of refusals that no row speaks for. */
  readonly defaultErrors: ErrorForm;
  readonly newId?: () => string;
}
