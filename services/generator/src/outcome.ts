import type { metrics } from "@vitrine/contracts/telemetry";

type Attributes = typeof metrics.generatorRequests.attributes;
export type GeneratorAction = Attributes["action"][number];
export type Outcome = Attributes["outcome"][number];

/** What an answer meant to the customer: `refused` is the shop's right, `failed` is its fault. */
export function outcomeOf(status: number): Outcome {
  if (status < 400) return "ok";
  return status < 500 ? "refused" : "failed";
}

/** Answers a well-behaved customer may get; any other is a fault of the generator or of the shop. */
const expected: ReadonlySet<number> = new Set([401, 409, 429, 502, 503, 504]);

export function isExpected(status: number): boolean {
  return status < 400 || expected.has(status);
}
