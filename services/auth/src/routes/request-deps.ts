import type { Database } from "@vitrine/kit/postgres";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import type { Caller, CallerContext } from "../caller.ts";

/** What routes need to know of a request. */
export interface RequestDeps {
  readonly callerOf: (c: CallerContext) => Caller;
  /** Where browsers reach us: the only origin whose pages may use a cookie of ours. */
  readonly ownOrigin: string;
  readonly verifier: TokenVerifier;
  readonly database: Database;
}
