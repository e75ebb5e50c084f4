import type { AppEnv } from "@vitrine/kit/http";
import type { MiddlewareHandler } from "hono";

/** Answers with tokens or about people are kept by no cache, old ones and errors included (RFC 6749 §5.1). */
export const noStore: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.header("cache-control", "no-store");
  c.header("pragma", "no-cache");
  await next();
};
