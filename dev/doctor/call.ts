import type { ExamineOptions } from "./hop.ts";

const callTimeoutMs = 3_000;

export interface Answer {
  /** `undefined` when nothing answered; `text` then says why. */
  readonly status: number | undefined;
  readonly text: string;
  /** The server's `Date`, as milliseconds since the epoch. */
  readonly date: number | undefined;
}

/** Asks and never throws: an endpoint that does not answer is an answer here. */
export async function call(
  options: Pick<ExamineOptions, "fetch">,
  url: string,
  init: RequestInit = {},
  timeoutMs: number = callTimeoutMs,
): Promise<Answer> {
  try {
    const response = await options.fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const date = Date.parse(response.headers.get("date") ?? "");
    return { status: response.status, text: await response.text(), date: Number.isNaN(date) ? undefined : date };
  } catch (error) {
    return { status: undefined, text: error instanceof Error ? error.message : "unknown error", date: undefined };
  }
}
