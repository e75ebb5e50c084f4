import { createBaseApp } from "@vitrine/kit/http";
import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";

export interface Deps {
  readonly logger: Logger;
  readonly readiness: Readiness;
}

/** Nobody calls the generator: it only tells how it is. */
export function createApp(deps: Deps) {
  return createBaseApp({ service: "generator", ...deps });
}
