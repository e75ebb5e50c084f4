import { type Answer, call } from "../call.ts";
import { read } from "./answer.ts";
import type { Check, Checked } from "./check.ts";

export interface AskOptions {
  /** Address of the gateway. */
  readonly gateway: string;
  readonly token: () => Promise<string>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** What a person waits for before they think that it hangs. */
export const slowMs = 1_000;

const timeoutMs = 30_000;
const attempts = 5;
const quotaPauseMs = 1_000;

interface Timed {
  readonly answer: Answer;
  readonly ms: number;
}

/** Asks the gateway one query and judges the answer, "empty" also where the check is quiet. That nothing answers is a verdict too. */
export async function ask(options: AskOptions, check: Check): Promise<Checked> {
  const { answer, ms } = await (check.evaluationMs === undefined
    ? askTwiceIfSlow(options, check.path)
    : askWithinQuota(options, check.path).then((timed) => ({ ...timed, ms: check.evaluationMs ?? timed.ms })));
  if (answer.status !== 200)
    return {
      ...check,
      verdict: "failing",
      detail: `${answer.status ?? "no answer"}: ${brief(answer.text)}`,
      ms,
      labels: {},
    };
  try {
    const { count, labels } = read(answer.text);
    if (count === 0) return { ...check, verdict: "empty", detail: "nothing to show", ms, labels };
    const slow = ms > slowMs;
    return { ...check, verdict: slow ? "slow" : "ok", detail: slow ? `took ${Math.round(ms)} ms` : "", ms, labels };
  } catch {
    return { ...check, verdict: "failing", detail: `no answer of an engine: ${brief(answer.text)}`, ms, labels: {} };
  }
}

/** Something else may have kept the machine busy: slow is what is slow twice. */
async function askTwiceIfSlow(options: AskOptions, path: string): Promise<Timed> {
  const first = await askWithinQuota(options, path);
  if (first.ms <= slowMs || first.answer.status !== 200) return first;
  const second = await askWithinQuota(options, path);
  return second.ms < first.ms ? second : first;
}

/** A quota is not the query's fault: 429 is waited out and not measured. */
async function askWithinQuota(options: AskOptions, path: string): Promise<Timed> {
  for (let attempt = 1; ; attempt++) {
    const authorization = `Bearer ${await options.token()}`;
    const startedAt = options.now();
    const answer = await call(options, options.gateway + path, { headers: { authorization } }, timeoutMs);
    const ms = options.now() - startedAt;
    if (answer.status !== 429 || attempt === attempts) return { answer, ms };
    await options.sleep(quotaPauseMs);
  }
}

function brief(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 200);
}
