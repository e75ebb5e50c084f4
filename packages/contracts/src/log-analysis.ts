import { z } from "zod";

const time = z.iso.datetime();
const moment = z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-21T07:00:00Z" });
const word = z.string().min(1).max(256);

/** Body of `POST /api/console/logs/analyze` as JSON: which lines of the log store. Any other body is the log itself. */
export const analysisRequest = z.strictObject({
  from: moment.describe("Beginning of the span."),
  to: moment.describe("End of the span."),
  service: word.optional().describe("Of this service alone."),
  level: z.enum(["debug", "info", "warn", "error", "fatal"]).optional().describe("From this level on."),
  action: word.optional().describe("With this action alone."),
  user: word.optional().describe("Of this user alone."),
  text: word.optional().describe("That contain this text, upper or lower case."),
});

export type AnalysisRequest = z.infer<typeof analysisRequest>;

const pattern = z.object({
  template: z.string().describe("What its lines have in common; `<*>` stands for what varies."),
  count: z.int().positive(),
  level: z.string().describe("The worst among its lines."),
  firstAt: time.nullable(),
  lastAt: time.nullable(),
  example: z.string().describe("The first of its lines, cut if long."),
  requestId: z.string().nullable().describe("A request one of its lines belongs to."),
});

export const analysisReport = z.object({
  lines: z.int().nonnegative().describe("Lines that were read."),
  complete: z.boolean().describe("False where there were more lines than are read at once."),
  from: time.nullable().describe("Time of the first line that tells one."),
  to: time.nullable(),
  levels: z.record(z.string(), z.int()).describe("Lines of each level."),
  patterns: z.array(pattern).describe("The most frequent patterns."),
  newPatterns: z
    .array(pattern)
    .describe(
      "Patterns not seen in the span of the same length before; of a file, those that begin in its last quarter.",
    ),
  bursts: z
    .array(z.object({ from: time, to: time, errors: z.int(), usual: z.number().describe("Errors in as long a time.") }))
    .describe("Times with many more errors than usual."),
  addresses: z
    .array(
      z.object({
        address: z.string(),
        requests: z.int(),
        refused: z.int().describe("Answered with 401, 403 or 429, or told of as refused."),
        missed: z.int().describe("Answered with 404."),
        reasons: z.array(z.enum(["many_refusals", "probing", "flood"])),
      }),
    )
    .describe("Addresses whose requests look like an attack; the worst first."),
  slowest: z
    .array(
      z.object({
        action: z.string(),
        count: z.int(),
        medianMs: z.number(),
        p95Ms: z.number(),
        maxMs: z.number(),
        requestId: z.string().nullable().describe("Of the slowest."),
      }),
    )
    .describe("What took longest, by its 95th percentile."),
});

export type AnalysisReport = z.infer<typeof analysisReport>;
