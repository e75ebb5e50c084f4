import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { withRequestScope } from "@vitrine/kit/context";
import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import type { Backoff } from "./backoff.ts";
import type { Events } from "./events.ts";
import { type GeneratorAction, outcomeOf } from "./outcome.ts";

export interface GatewayRequest {
  readonly action: GeneratorAction;
  readonly method?: "GET" | "POST" | "PUT";
  /** Path and query. */
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

export interface Answer {
  readonly status: number;
  /** The parsed body; `undefined` when it was empty or not JSON. */
  readonly body: unknown;
}

export interface Gateway {
  /** Sends one request as the start of a trace of its own; `undefined` when no answer came. Never throws. */
  send(request: GatewayRequest): Promise<Answer | undefined>;
  /** True while the gateway is left alone because it does not answer. */
  isResting(): boolean;
}

export interface GatewayOptions {
  readonly url: string;
  readonly backoff: Backoff;
  readonly events: Events;
  readonly fetch?: typeof tracedFetch;
}

const timeoutMs = 10_000;

export function createGateway({ url, backoff, events, fetch = tracedFetch }: GatewayOptions): Gateway {
  async function exchange(request: GatewayRequest): Promise<Answer | undefined> {
    try {
      const response = await fetch(new URL(request.path, url), {
        method: request.method ?? "GET",
        headers: toHeaders(request),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        timeoutMs,
      });
      const answer = { status: response.status, body: parseJson(await response.text()) };
      backoff.succeeded();
      events.answered(request.action, outcomeOf(answer.status), answer.status);
      return answer;
    } catch (error) {
      // A connection that breaks while the body is read is no ServiceError, and no answer either.
      if (!(error instanceof ServiceError && error.code === "upstream_timeout")) backoff.failed();
      events.unanswered(request.action, "unreachable");
      return undefined;
    }
  }

  return {
    send: (request) =>
      context.with(withRequestScope(ROOT_CONTEXT, { requestId: Bun.randomUUIDv7() }), () => exchange(request)),
    isResting: () => backoff.isResting(),
  };
}

function toHeaders({ token, body, idempotencyKey }: GatewayRequest): Record<string, string> {
  return {
    accept: "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Every caller checks the body by a schema, and there is none for this one.
    return undefined;
  }
}
