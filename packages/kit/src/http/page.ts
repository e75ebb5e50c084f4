import { z } from "zod";

export interface Page<T> {
  readonly items: readonly T[];
  /** Cursor of the page after this one; `null` on the last. */
  readonly next: string | null;
}

const maxCursorLength = 512;

/**
 * Query parameters of a list: `limit` (1 to 100, default 20) and `cursor`, the `next` of the page before, which is
 * parsed by `position`. Extend it by the filters of the list. A cursor nobody gave out is an `invalid_request`.
 */
export function pageQuery<S extends z.ZodType<string>>(position: S) {
  return z.strictObject({
    limit: z
      .string()
      .regex(/^\d{1,3}$/, "a whole number from 1 to 100")
      .transform(Number)
      .pipe(z.int().min(1, "a whole number from 1 to 100").max(100, "a whole number from 1 to 100"))
      .default(20)
      .describe("Items of a page, 1 to 100. Default 20."),
    cursor: z
      .string()
      .max(maxCursorLength)
      .transform((cursor) => Buffer.from(cursor, "base64url").toString("utf8"))
      .refine((value) => position.safeParse(value).success, "take it from `next` of the page before")
      .optional()
      .describe("`next` of the page before."),
  });
}

/**
 * Makes a page of `limit` items from rows read with `limit + 1`: the one too many says that there is more.
 * @param positionOf what the list is ordered by, unique among its items
 */
export function toPage<T>(rows: readonly T[], limit: number, positionOf: (item: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, next: more ? Buffer.from(positionOf(last), "utf8").toString("base64url") : null };
}
