import { z } from "zod";

/** Body of every error outside the OTLP and Loki routes (RFC 9457), media type `application/problem+json`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  requestId: z.string(),
  traceId: z.string().optional(),
  /** Which field is wrong and how to mend it; only with `code: "invalid_request"`. */
  fields: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

export type Problem = z.infer<typeof problem>;
