import type { ContentfulStatusCode } from "hono/utils/http-status";

interface ErrorKind {
  readonly status: ContentfulStatusCode;
  readonly title: string;
}

/** Every error a caller can be told, in one place. A 5xx never carries a detail: it stays in the log. */
const errorKinds = {
  invalid_request: { status: 400, title: "The request is not valid" },
  unauthenticated: { status: 401, title: "A token is needed" },
  invalid_token: { status: 401, title: "The token is not valid" },
  invalid_credentials: { status: 401, title: "Name or password is wrong" },
  mfa_required: { status: 401, title: "A second factor is needed" },
  step_up_required: { status: 401, title: "Prove who you are once more" },
  cross_site_request: { status: 403, title: "Another site sent this request" },
  insufficient_scope: { status: 403, title: "The token may not do this" },
  not_found: { status: 404, title: "There is nothing here" },
  method_not_allowed: { status: 405, title: "This method is not allowed here" },
  request_timeout: { status: 408, title: "The request took too long to arrive" },
  name_taken: { status: 409, title: "The name is taken" },
  last_admin: { status: 409, title: "There must be an administrator" },
  preset: { status: 409, title: "It is set by a file" },
  too_many_targets: { status: 409, title: "There are too many targets" },
  too_many_keys: { status: 409, title: "Two keys of this name are active" },
  second_factor_active: { status: 409, title: "A second factor is active already" },
  out_of_stock: { status: 409, title: "There are too few pieces" },
  reservation_over: { status: 409, title: "The reservation has ended" },
  not_owned: { status: 409, title: "There are too few such pieces in the collection" },
  insufficient_funds: { status: 409, title: "There is too little money in the wallet" },
  wallet_full: { status: 409, title: "The wallet cannot hold so much money" },
  price_changed: { status: 409, title: "The price has changed" },
  order_state: { status: 409, title: "The order is past that" },
  idempotency_in_flight: { status: 409, title: "A request with this idempotency key is under way" },
  idempotency_conflict: { status: 422, title: "The idempotency key was used for another request" },
  payload_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: {
    status: 415,
    title: "The media type is not supported",
  },
  rate_limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Something went wrong on our side" },
  upstream_failed: { status: 502, title: "A service behind this one failed" },
  unavailable: { status: 503, title: "The service cannot answer right now" },
  upstream_timeout: {
    status: 504,
    title: "A service behind this one took too long",
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

export interface ServiceErrorOptions {
  /** Text for logs and metrics only, from a closed set: why, where the code alone is too coarse. */
  readonly reason?: string;
  readonly fields?: readonly FieldFault[];
  /** Sent as `Retry-After`, in whole seconds (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Members of the answer beside those of every problem (RFC 9457 §3.2). */
  readonly extensions?: Readonly<Record<string, string | number | object>>;
  readonly cause?: unknown;
}

/** The one error a route throws on purpose; anything else thrown is a bug and becomes `internal`. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly status: ContentfulStatusCode;
  readonly title: string;
  readonly detail: string | undefined;
  readonly reason: string | undefined;
  readonly fields: readonly FieldFault[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, string | number | object>> | undefined;

  /** @param detail what is wrong and how to mend it, for the caller; never secrets, never text of another system */
  constructor(code: ErrorCode, detail?: string, options: ServiceErrorOptions = {}) {
    super(detail ?? errorKinds[code].title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ServiceError";
    this.code = code;
    this.status = errorKinds[code].status;
    this.title = errorKinds[code].title;
    this.detail = detail;
    this.reason = options.reason;
    this.fields = options.fields;
    this.extensions = options.extensions;
    this.headers = {
      // RFC 9110 §15.5.2: whatever was wrong, a 401 says how to authenticate.
      ...(this.status === 401 ? { "www-authenticate": "Bearer" } : {}),
      ...options.headers,
      ...(options.retryAfterSeconds === undefined ? {} : { "retry-after": String(options.retryAfterSeconds) }),
    };
  }
}
