import type { ValidationTargets } from "hono";
import { validator } from "hono/validator";
import type { z } from "zod";
import { ServiceError } from "../errors.ts";

/** A body of any other media type is not read: what is wrong is not in its fields. */
const jsonForm = /^application\/([\w.-]+\+)?json\s*(;|$)/i;

/**
 * Parses one part of a request by a schema; the handler reads it typed by `c.req.valid(target)`.
 * @throws ServiceError `invalid_request` naming every field that is wrong
 */
export function validated<T extends keyof ValidationTargets, S extends z.ZodType>(target: T, schema: S) {
  return validator(target, (value, c): z.output<S> => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const unread = target === "json" && !jsonForm.test(c.req.header("content-type") ?? "");
    const fields = unread
      ? [{ field: "Content-Type", message: "must be application/json" }]
      : parsed.error.issues.map((issue) => ({ field: issue.path.join(".") || target, message: issue.message }));
    throw new ServiceError("invalid_request", fields.map(({ field, message }) => `${field}: ${message}`).join("; "), {
      fields,
    });
  });
}
