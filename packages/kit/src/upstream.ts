import { metrics } from "@vitrine/contracts/telemetry";
import { BrokenCircuitError, CircuitState, circuitBreaker, CountBreaker, handleWhen } from "cockatiel";
import { ServiceError } from "./errors.ts";
import { tracedFetch, type TracedFetchInit } from "./fetch.ts";
import type { Logger } from "./log.ts";
import { pause } from "./pause.ts";
import { counter, observe } from "./telemetry/instruments.ts";
import type { TokenSource } from "./tokens/source.ts";

export interface UpstreamOptions {
  /** Name of the service, as metrics and log lines tell it. */
  readonly name: string;
  readonly url: string;
  readonly logger: Logger;
  /** Bearer tokens; one that is refused is got anew, once per call. */
  readonly tokens?: TokenSource;
  /** Deadline of one attempt, in milliseconds. Default 2,000. */
  readonly timeoutMs?: number;
  /** Deadline of a call with all its attempts and pauses, in milliseconds. Default one and a half `timeoutMs`. */
  readonly budgetMs?: number;
  /** Attempts of a call that may be repeated. Default 3. */
  readonly attempts?: number;
  /** Milliseconds an open circuit stays so before one call tries again. Default 5,000. */
  readonly openMs?: number;
  readonly fetch?: (url: URL, init: TracedFetchInit) => Promise<Response>;
}

export interface UpstreamInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface Upstream {
  /**
   * An answer of any status. Repeated, with jitter and within the budget, are calls nothing or 5xx or 429 came back for:
   * those of idempotent methods (RFC 9110 §9.2.2) and those with an `Idempotency-Key`.
   * @throws ServiceError `upstream_timeout` or `unavailable`; with reason `circuit_open` and Retry-After when more than
   * half of the last 20 attempts (5 at least) failed and the circuit is open: then nothing was sent
   */
  fetch(path: string, init?: UpstreamInit): Promise<Response>;
  state(): "closed" | "half_open" | "open";
}

const firstPauseMs = 50;
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** Calls one other service: traced, bounded in time, repeated where that is safe, and left alone while it is away. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { name, url, tokens } = options;
  const timeoutMs = options.timeoutMs ?? 2_000;
  const attempts = options.attempts ?? 3;
  const send = options.fetch ?? tracedFetch;
  const retries = counter(metrics.upstreamRetries);
  const circuit = createCircuit(options);

  async function attempt(path: string, init: UpstreamInit, limitMs: number): Promise<Response> {
    const authorization = tokens === undefined ? {} : { authorization: `Bearer ${await tokens.get()}` };
    const headers = { ...init.headers, ...authorization };
    return await circuit.run(() => send(new URL(path, url), { ...init, headers, timeoutMs: limitMs }));
  }

  async function fetch(path: string, init: UpstreamInit = {}): Promise<Response> {
    const deadline = performance.now() + (options.budgetMs ?? timeoutMs * 1.5);
    const repeatable = idempotent.has(init.method ?? "GET") || hasKey(init.headers);
    let renewed = false;
    for (let count = 1; ; count += 1) {
      const leftMs = deadline - performance.now();
      const outcome = await settle(attempt(path, init, Math.min(timeoutMs, leftMs)));
      if (outcome.response?.status === 401 && tokens !== undefined && !renewed) {
        renewed = true;
        tokens.forget();
        await outcome.response.body?.cancel();
        continue;
      }
      const failure = failureOf(outcome);
      const pauseMs = Math.max(jitter(count), retryAfterMs(outcome));
      const enough = count >= attempts || performance.now() + pauseMs >= deadline;
      if (failure === undefined || !repeatable || enough) return give(outcome);
      retries.add(1, { upstream: name, reason: failure });
      await outcome.response?.body?.cancel();
      await pause(pauseMs, init.signal ?? never);
    }
  }

  return { fetch, state: circuit.state };
}

const never = new AbortController().signal;

interface Outcome {
  readonly response?: Response;
  readonly error?: unknown;
}

function settle(work: Promise<Response>): Promise<Outcome> {
  return work.then(
    (response) => ({ response }),
    (error: unknown) => ({ error }),
  );
}

function give({ response, error }: Outcome): Response {
  if (response === undefined) throw error;
  return response;
}

/** Why an attempt may be worth another; `undefined` for an answer, and for a call that was given up. */
function failureOf({ response, error }: Outcome): "status" | "timeout" | "connection" | undefined {
  if (response !== undefined) return response.status >= 500 || response.status === 429 ? "status" : undefined;
  if (!isOutage(error)) return undefined;
  return error.code === "upstream_timeout" ? "timeout" : "connection";
}

function isOutage(error: unknown): error is ServiceError {
  return error instanceof ServiceError && (error.reason === "upstream_down" || error.reason === "upstream_timeout");
}

function hasKey(headers: UpstreamInit["headers"] = {}): boolean {
  return Object.keys(headers).some((header) => header.toLowerCase() === "idempotency-key");
}

/** Full jitter: callers that failed together do not come back together. */
function jitter(count: number): number {
  return Math.random() * firstPauseMs * 2 ** count;
}

function retryAfterMs({ response }: Outcome): number {
  const seconds = Number(response?.headers.get("retry-after") ?? 0);
  return Number.isFinite(seconds) ? seconds * 1_000 : 0;
}

const stateNames = {
  [CircuitState.Closed]: "closed",
  [CircuitState.HalfOpen]: "half_open",
  [CircuitState.Open]: "open",
  [CircuitState.Isolated]: "open",
} as const;

function createCircuit({ name, logger, openMs = 5_000 }: UpstreamOptions) {
  const rejections = counter(metrics.upstreamRejections);
  // A trial that was given up proves nothing: it leaves the circuit open.
  const isFailure = (error: unknown) => isOutage(error) || state() === "half_open";
  const breaker = circuitBreaker(
    handleWhen(isFailure).orWhenResult((result) => result instanceof Response && result.status >= 500),
    { halfOpenAfter: openMs, breaker: new CountBreaker({ threshold: 0.5, size: 20, minimumNumberOfCalls: 5 }) },
  );
  let openedAt = 0;
  breaker.onBreak(() => {
    openedAt = Date.now();
    logger.warn({ action: "upstream.circuit_opened", extra: { upstream: name } }, "calls to a service are held back");
  });
  breaker.onReset(() => {
    logger.info({ action: "upstream.circuit_closed", extra: { upstream: name } }, "a service is called again");
  });
  observe(metrics.upstreamCircuitState, (report) => {
    for (const one of ["closed", "half_open", "open"] as const)
      report(state() === one ? 1 : 0, { upstream: name, state: one });
  });

  function state() {
    return stateNames[breaker.state];
  }

  function rejected(cause?: unknown): ServiceError {
    rejections.add(1, { upstream: name });
    const retryAfterSeconds = Math.max(1, Math.ceil((openedAt + openMs - Date.now()) / 1_000));
    return new ServiceError("unavailable", undefined, { reason: "circuit_open", retryAfterSeconds, cause });
  }

  async function run(work: () => Promise<Response>): Promise<Response> {
    // Half open means that one call is out to try: others would have to wait for what becomes of it.
    if (state() === "half_open") throw rejected();
    return await breaker.execute(work).catch((error: unknown) => {
      throw error instanceof BrokenCircuitError ? rejected(error) : error;
    });
  }

  return { run, state };
}
