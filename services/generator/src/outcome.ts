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

/** An attack that is let in would be worth a line, whatever else happens is what was hoped for. */
export function isExpected(action: GeneratorAction, status: number): boolean {
  if (action === "attack") return status >= 400 && status !== 500;
  if (action === "fault" && status === 404) return true;
  return status < 400 || expected.has(status);
}
