import { z } from "zod";

/** Body of every error outside the OTLP and Loki routes (RFC 9457), media type `application/problem+json`. */
export const problem = z.object({
  type: z.string().describe("Always about:blank: `code` says what it is."),
  title: z.string().describe("What is wrong, the same for every request of this code."),
  status: z.int().describe("The status of the answer."),
  code: z.string().describe("What is wrong, for programs."),
  detail: z.string().optional().describe("What is wrong with this request, and what mends it."),
  requestId: z.string().describe("Leads to everything known about the request."),
  instance: z.string().optional().describe("The page that tells what became of the request."),
  traceId: z.string().optional().describe("Its trace."),
  fields: z
    .array(
      z.object({
        field: z.string().describe("Path of the field."),
        message: z.string().describe("How to mend it."),
      }),
    )
    .optional()
    .describe("Which fields are wrong; only with the code `invalid_request`."),
});

export type Problem = z.infer<typeof problem>;
