import { problem } from "@vitrine/contracts/problem";
import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import type { z } from "zod";

/** Who is asked, as people call it. */
export const sources = {
  prometheus: "Prometheus",
  loki: "Loki",
  jaeger: "Jaeger",
  alertmanager: "Alertmanager",
  auth: "auth",
  orders: "orders",
  inventory: "inventory",
  notifier: "notifier",
  generator: "generator",
} as const;

export type Source = keyof typeof sources;

/** Why there is no answer, in the words of the table in `views/missing.tsx`. */
export type MissingReason =
  "unreachable" | "slow" | "forbidden" | "signed_out" | "not_found" | "busy" | "refused" | "odd";

/** A source that gave no usable answer: pages say so and show the rest. */
export interface Missing {
  readonly source: Source;
  readonly reason: MissingReason;
  /** In the words of the gateway or the source, if it had any. */
  readonly detail: string | undefined;
  /** Of the question, as the gateway knows it. */
  readonly requestId: string | undefined;
}

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly missing: Missing };

export interface Question<S extends z.ZodType> {
  readonly source: Source;
  /** At the gateway, with its leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  /** What comes is a text, and no JSON. */
  readonly plain?: true;
  /** What an answer looks like; anything else is `odd`. */
  readonly answer: S;
  /** Milliseconds for the whole exchange; the asker's own deadline unless given. */
  readonly timeoutMs?: number;
}

/** Asks through the gateway with the rights of one person. Never throws: who does not answer is missing. */
export type Ask = <S extends z.ZodType>(question: Question<S>) => Promise<Answer<z.output<S>>>;

export interface AskOptions {
  readonly gatewayUrl: string;
  /** Of whoever looks at the page. */
  readonly token: string;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when nobody waits for answers any more. */
  readonly signal?: AbortSignal;
}

const maxDetailLength = 300;

export function createAsk({ gatewayUrl, token, timeoutMs, signal }: AskOptions): Ask {
  return async function ask<S extends z.ZodType>(question: Question<S>): Promise<Answer<z.output<S>>> {
    const missing = (reason: MissingReason, detail?: string, requestId?: string): Answer<z.output<S>> => ({
      ok: false,
      missing: { source: question.source, reason, detail: detail?.slice(0, maxDetailLength), requestId },
    });
    try {
      const response = await tracedFetch(`${gatewayUrl}${question.path}${toSearch(question.query)}`, {
        method: question.method ?? "GET",
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json",
          ...(question.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(question.body === undefined ? {} : { body: JSON.stringify(question.body) }),
        timeoutMs: question.timeoutMs ?? timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
      const text = await response.text();
      if (!response.ok) return missing(...readRefusal(response, text));
      const parsed = question.answer.safeParse(
        question.plain === true ? text : text === "" ? undefined : JSON.parse(text),
      );
      return parsed.success ? { ok: true, value: parsed.data } : missing("odd", parsed.error.issues[0]?.message);
    } catch (error) {
      if (error instanceof ServiceError && error.code === "upstream_timeout") return missing("slow");
      if (error instanceof Error && error.name === "TimeoutError") return missing("slow");
      if (error instanceof SyntaxError) return missing("odd", "the answer is no JSON");
      return missing("unreachable");
    }
  };
}

function toSearch(query: Question<z.ZodType>["query"] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs).toString()}`;
}

const reasonOfStatus: Readonly<Record<number, MissingReason>> = {
  401: "signed_out",
  403: "forbidden",
  404: "not_found",
  429: "busy",
  502: "unreachable",
  503: "unreachable",
  504: "slow",
};

function readRefusal(
  response: Response,
  text: string,
): readonly [MissingReason, string | undefined, string | undefined] {
  const requestId = response.headers.get("x-request-id") ?? undefined;
  const reason = reasonOfStatus[response.status] ?? (response.status >= 500 ? "unreachable" : "refused");
  const told = response.headers.get("content-type")?.includes("json") === true ? readJson(text) : text;
  const said = problem.safeParse(told);
  if (said.success) return [reason, said.data.detail ?? said.data.title, requestId];
  return [reason, typeof told === "string" && told !== "" ? told : undefined, requestId];
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Changes what an answer holds; one that is missing stays missing. */
export function mapAnswer<T, U>(answer: Answer<T>, change: (value: T) => U): Answer<U> {
  return answer.ok ? { ok: true, value: change(answer.value) } : answer;
}
