import type { AnalysisReport } from "@vitrine/contracts/log-analysis";
import type { ParsedLine } from "./parse.ts";
import { quantile } from "./slowest.ts";

const minRefused = 10;
const minMissed = 10;
const minFlood = 100;
/** Times the requests of the address in the middle. */
const floodFactor = 10;
const maxAddresses = 25;

const refusedStatuses: ReadonlySet<number> = new Set([401, 403, 429]);
const refusedWords = /\b(?:fail(?:ed|ure)?|invalid|denied|refused|forbidden|unauthori[sz]ed|throttled|rate.?limit)/i;

interface Tally {
  readonly address: string;
  requests: number;
  refused: number;
  missed: number;
}

/** Addresses that are refused again and again, look for what is not there, or ask far more than the others. */
export function suspiciousAddresses(lines: readonly ParsedLine[]): AnalysisReport["addresses"] {
  const tallies = new Map<string, Tally>();
  for (const line of lines) {
    const { address, status, level, message } = line;
    if (address === undefined) continue;
    const tally = tallies.get(address) ?? { address, requests: 0, refused: 0, missed: 0 };
    tallies.set(address, tally);
    tally.requests += 1;
    if (refusedStatuses.has(status) || (status === 0 && level !== "info" && refusedWords.test(message)))
      tally.refused += 1;
    if (status === 404) tally.missed += 1;
  }
  const all = [...tallies.values()];
  const middle = quantile(
    all.map(({ requests }) => requests).toSorted((a, b) => a - b),
    0.5,
  );
  return all
    .map(({ address, requests, refused, missed }) => {
      const reasons = reasonsFor({ requests, refused, missed }, middle, all.length);
      return { address, requests, refused, missed, reasons };
    })
    .filter(({ reasons }) => reasons.length > 0)
    .toSorted((a, b) => b.refused + b.missed - (a.refused + a.missed) || b.requests - a.requests)
    .slice(0, maxAddresses);
}

function reasonsFor({ requests, refused, missed }: Omit<Tally, "address">, middle: number, others: number) {
  const reasons: AnalysisReport["addresses"][number]["reasons"] = [];
  if (refused >= minRefused && refused * 2 >= requests) reasons.push("many_refusals");
  if (missed >= minMissed && missed * 2 >= requests) reasons.push("probing");
  if (others > 2 && requests >= minFlood && requests > middle * floodFactor) reasons.push("flood");
  return reasons;
}
