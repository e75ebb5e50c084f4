import type { AnalysisReport } from "@vitrine/contracts/log-analysis";
import { suspiciousAddresses } from "./addresses.ts";
import { errorBursts } from "./bursts.ts";
import { createPatternFinder } from "./drain.ts";
import { inTurns } from "./in-turns.ts";
import type { ParsedLine } from "./parse.ts";
import { slowestActions } from "./slowest.ts";

export interface AnalysisInput {
  readonly lines: readonly ParsedLine[];
  readonly complete: boolean;
  /** Lines of the span of the same length before; what is a pattern there is nothing new. */
  readonly before?: readonly ParsedLine[];
}

const maxPatterns = 40;
const maxExample = 500;
/** Without a span before, new is what begins in this last part of the lines' own time. */
const newShare = 0.75;

const severity = ["unknown", "debug", "info", "warn", "error", "fatal"];

interface Collected {
  readonly key: object;
  count: number;
  level: string;
  firstMs: number | undefined;
  lastMs: number | undefined;
  readonly example: string;
  requestId: string | undefined;
  known: boolean;
}

/** Everything the analysis tells of some lines. */
export async function analyse({ lines, complete, before }: AnalysisInput): Promise<AnalysisReport> {
  const times = lines.flatMap(({ timeMs }) => (timeMs === undefined ? [] : [timeMs]));
  const fromMs = least(times);
  const toMs = greatest(times);
  const finder = createPatternFinder();
  const collected = await collect(lines, before ?? [], finder);
  const sorted = collected.toSorted((a, b) => b.count - a.count);
  const write = (patterns: readonly Collected[]) =>
    patterns.slice(0, maxPatterns).map((one) => toPattern(one, finder.templateOf(one.key)));
  const newFromMs = fromMs === undefined || toMs === undefined ? undefined : fromMs + (toMs - fromMs) * newShare;
  const isNew = ({ known, firstMs }: Collected) =>
    before === undefined ? firstMs !== undefined && newFromMs !== undefined && firstMs > newFromMs : !known;
  return {
    lines: lines.length,
    complete,
    from: toIso(fromMs),
    to: toIso(toMs),
    levels: countLevels(lines),
    patterns: write(sorted),
    newPatterns: write(sorted.filter(isNew)),
    bursts: errorBursts(lines),
    addresses: suspiciousAddresses(lines),
    slowest: slowestActions(lines),
  };
}

async function collect(
  lines: readonly ParsedLine[],
  before: readonly ParsedLine[],
  finder: ReturnType<typeof createPatternFinder>,
): Promise<readonly Collected[]> {
  const known = new Set<object>();
  await inTurns(before, ({ message }) => known.add(finder.add(message)));
  const byKey = new Map<object, Collected>();
  await inTurns(lines, ({ message, level, timeMs, requestId }) => {
    const key = finder.add(message);
    const held = byKey.get(key);
    if (held === undefined) {
      const example = message.slice(0, maxExample);
      byKey.set(key, {
        key,
        count: 1,
        level,
        firstMs: timeMs,
        lastMs: timeMs,
        example,
        requestId,
        known: known.has(key),
      });
      return;
    }
    held.count += 1;
    if (severity.indexOf(level) > severity.indexOf(held.level)) held.level = level;
    held.firstMs = least([held.firstMs, timeMs].filter((time) => time !== undefined));
    held.lastMs = greatest([held.lastMs, timeMs].filter((time) => time !== undefined));
    held.requestId ??= requestId;
  });
  return [...byKey.values()];
}

function toPattern({ count, level, firstMs, lastMs, example, requestId }: Collected, template: string) {
  return {
    template,
    count,
    level,
    firstAt: toIso(firstMs),
    lastAt: toIso(lastMs),
    example,
    requestId: requestId ?? null,
  };
}

function countLevels(lines: readonly ParsedLine[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { level } of lines) counts[level] = (counts[level] ?? 0) + 1;
  return counts;
}

/** Loops, since a spread of as many arguments as a log has lines would not fit the stack. */
export function least(values: readonly number[]): number | undefined {
  let found: number | undefined;
  for (const value of values) if (found === undefined || value < found) found = value;
  return found;
}

export function greatest(values: readonly number[]): number | undefined {
  let found: number | undefined;
  for (const value of values) if (found === undefined || value > found) found = value;
  return found;
}

/** Years outside of four digits are somebody's broken clock. */
function toIso(ms: number | undefined): string | null {
  return ms === undefined || ms < 0 || ms > 253_402_300_799_999 ? null : new Date(ms).toISOString();
}
