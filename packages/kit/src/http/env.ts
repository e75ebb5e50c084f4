import type { AccessClaims } from "@vitrine/contracts/auth";

export interface AppVariables {
  requestId: string;
  /** Claims of the verified token; set by `authenticate`. */
  claims?: AccessClaims;
}

export interface AppBindings {
  /** Bun's server, for the caller's address; absent when a test calls `app.request`. */
  readonly server?: {
    requestIP(request: Request): { readonly address: string } | null;
    /** Seconds without traffic after which this request's connection is closed, instead of the listener's. */
    timeout?(request: Request, seconds: number): void;
    /** Makes the connection a WebSocket with `data`, where the listener has a handler for such. */
    upgrade?(request: Request, options: { readonly data: unknown }): boolean;
  };
  /** False for a path whose dot segments or backslashes were resolved; only where the listener has `maxSegments`. */
  readonly asWritten?: boolean;
}

export interface AppEnv {
  Variables: AppVariables;
  Bindings: AppBindings;
}
