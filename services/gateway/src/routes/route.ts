import type { Scope } from "@vitrine/contracts/scopes";
import type { RateClassName } from "./rate-class.ts";

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

export type Method = (typeof methods)[number];

/**
 * What kind of trust an upstream gets: only a `service` of ours, which verifies tokens itself, is shown one. A `viewer`
 * has pages of its own and is told who looks at them.
 */
export const upstreams = {
  self: "self",
  auth: "service",
  orders: "service",
  inventory: "service",
  notifier: "service",
  console: "service",
  generator: "service",
  collector: "collector",
  prometheus: "engine",
  loki: "engine",
  jaeger: "engine",
  alertmanager: "engine",
  grafana: "viewer",
} as const;

export type Upstream = keyof typeof upstreams;

export const signals = ["traces", "metrics", "logs"] as const;

export type Signal = (typeof signals)[number];

/** `snappy` is what some of Loki's clients call their protobuf, which is always packed so: nothing is undone for it. */
export type Encoding = "identity" | "gzip" | "zstd" | "snappy";

/** What a request body may be. Sizes in bytes; both caps are counted, `Content-Length` is not trusted. */
export interface BodyRule {
  readonly encodedBytes: number;
  readonly decodedBytes: number;
  /** Milliseconds in which all of it must arrive. */
  readonly arriveMs: number;
  readonly encodings: readonly Encoding[];
  /** Without it the upstream decides. */
  readonly mediaTypes?: readonly string[];
}

/** One row of the table: a path, what may be done there, who may do it, and where it goes. */
export interface Route {
  /** Literal segments; `*` is one segment, a last `**` is any number of further segments, none included. */
  readonly path: string;
  /** `GET` brings `HEAD` along (RFC 9110 §9.3.2). */
  readonly methods: readonly Method[];
  /** `public`, or scopes of which the token needs one. */
  readonly access: "public" | readonly [Scope, ...Scope[]];
  readonly upstream: Upstream;
  /** The path the upstream sees: the same, without a prefix, or another. */
  readonly forward: "keep" | { readonly strip: string } | { readonly as: string };
  readonly body: BodyRule | "none";
  /** Whose quotas count; `none` for what the gateway answers itself at no cost. */
  readonly rate: RateClassName | "none";
  /** Milliseconds for the whole exchange with the upstream, the answer's body included. */
  readonly timeoutMs: number;
  /** A quiet route leaves no span and no access line; it is measured all the same. */
  readonly telemetry: "traced" | "quiet";
  readonly errors: ErrorForm;
  /** A browser's session cookie is as good as a token here, for requests of our own pages (ASVS 3.5.1). */
  readonly session?: true;
  /** A token or ingest key may also come as the password of Basic credentials: Loki's own clients know no other way. */
  readonly basic?: true;
  /** Becomes a WebSocket to the upstream; any other row keeps `Upgrade` to itself (RFC 9110 §7.8). */
  readonly upgrade?: "websocket";
  /** Who opens it in a browser without a session is sent to the page `login`, and back. */
  readonly page?: { readonly login: string };
  /** Set on telemetry ingest; what comes as `otlp` is also served on the OTLP port. */
  readonly ingest?: { readonly signal: Signal; readonly format: "otlp" | "loki" };
}

/** How a refusal is written: RFC 9457, `google.rpc.Status` in the request's encoding, or Loki's plain text. */
export type ErrorForm = "problem" | "otlp" | "loki";

/** The methods a row answers, in the order of `Allow`. */
export function allowedMethods(route: Route): readonly Method[] {
  return methods.filter(
    (method) => route.methods.includes(method) || (method === "HEAD" && route.methods.includes("GET")),
  );
}
