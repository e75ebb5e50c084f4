import type { TokenErrorCode } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import type { Logger } from "@vitrine/kit/log";
import type { Context } from "hono";
import { type AppEnv, toServiceError } from "@vitrine/kit/http";

/** A token request is refused (RFC 6749 §5.2, RFC 8693 §2.2.2). The description is plain ASCII without quotes. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  readonly code: TokenErrorCode;

  constructor(code: TokenErrorCode, description: string) {
    super(description);
    this.code = code;
  }
}

/** Answers in the form of RFC 6749 §5.2; what is our own fault says nothing of its cause. */
export function answerOAuthError(c: Context<AppEnv>, error: Error, logger: Logger): Response {
  if (error instanceof OAuthError) {
    // RFC 6749 §5.2 with RFC 9110 §11.6.1: a client that is not known is told how to authenticate.
    if (error.code === "invalid_client") c.header("www-authenticate", 'Basic realm="vitrine", charset="UTF-8"');
    const status = error.code === "invalid_client" ? 401 : 400;
    return c.json({ error: error.code, error_description: error.message }, status);
  }
  const known = toServiceError(error);
  if (known.status < 500)
    return c.json({ error: "invalid_request", error_description: known.title }, known.status, {
      ...known.headers,
    });
  const unavailable = error instanceof ServiceError && error.code === "unavailable";
  const code: TokenErrorCode = unavailable ? "temporarily_unavailable" : "server_error";
  const reason = error instanceof ServiceError ? error.reason : undefined;
  logger.error({ action: "http.error", err: error, extra: { code, reason: reason ?? null } }, "no token can be issued");
  return c.json({ error: code }, unavailable ? 503 : 500, unavailable ? { ...error.headers } : {});
}
