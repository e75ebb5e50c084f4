import { ServiceError } from "@vitrine/kit/errors";

/** No whole answer came: 503, which exporters try again. */
export function away(cause: unknown): ServiceError {
  return new ServiceError("unavailable", undefined, { reason: "upstream_down", retryAfterSeconds: 2, cause });
}

/** None came in time: 504. */
export function late(cause?: unknown): ServiceError {
  return new ServiceError("upstream_timeout", undefined, { reason: "upstream_timeout", retryAfterSeconds: 2, cause });
}

/** What came is no answer, or one that would make a client drop what it should keep: 502. */
export function wrong(cause: unknown): ServiceError {
  return new ServiceError("upstream_failed", undefined, { reason: "upstream_failed", retryAfterSeconds: 2, cause });
}
