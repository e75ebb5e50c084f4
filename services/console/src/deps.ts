import type { Readiness } from "@vitrine/kit/lifecycle";
import type { Logger } from "@vitrine/kit/log";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Assets } from "./assets/build.ts";
import type { Thresholds } from "./thresholds/thresholds.ts";

/** What the app is made of; `main.ts` makes the real ones, tests their own. */
export interface Deps {
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Aborted when the service stops: live streams end then. */
  readonly stopping: AbortSignal;
  readonly verifier: TokenVerifier;
  readonly assets: Assets;
  readonly thresholds: Thresholds;
  /** As people reach it. */
  readonly publicUrl: string;
  readonly gatewayUrl: string;
  readonly grafanaUrl: string | undefined;
  readonly demo: boolean;
  readonly runnerStateFile: string | undefined;
  readonly maxUploadBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
