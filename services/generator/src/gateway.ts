import { context, ROOT_CONTEXT } from "@opentelemetry/api";
import { withRequestScope } from "@vitrine/kit/context";
import { ServiceError } from "@vitrine/kit/errors";
import { tracedFetch } from "@vitrine/kit/fetch";
import type { Backoff } from "./backoff.ts";
import type { Events } from "./events.ts";
import { type GeneratorAction, outcomeOf } from "./outcome.ts";
import type { Report } from "./report.ts";

export interface GatewayRequest {
  readonly action: GeneratorAction;
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  /** Path and query. */
  readonly path: string;
  /** The path as the service names the route, where it differs. */
  readonly route?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  /** `User-Agent` of somebody else than a customer. */
  readonly agent?: string;
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
  readonly report: Pick<Report, "sent">;
  readonly fetch?: typeof tracedFetch;
}

const timeoutMs = 10_000;

export function createGateway({ url, backoff, events, report, fetch = tracedFetch }: GatewayOptions): Gateway {
  async function exchange(request: GatewayRequest): Promise<Answer | undefined> {
    const { action, method = "GET", path, body } = request;
    const sent = { method, route: request.route ?? path.split("?", 1)[0] ?? path };
    try {
      const response = await fetch(new URL(path, url), {
        method,
        headers: toHeaders(request),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs,
      });
      const answer = { status: response.status, body: parseJson(await response.text()) };
      backoff.succeeded();
      report.sent(sent, answer.status);
      events.answered(action, outcomeOf(answer.status), answer.status);
      return answer;
    } catch (error) {
      // A connection that breaks while the body is read is no ServiceError, and no answer either.
      if (!(error instanceof ServiceError && error.code === "upstream_timeout")) backoff.failed();
      report.sent(sent, 0);
      events.unanswered(action, "unreachable");
      return undefined;
    }
  }

  return {
    send: (request) =>
      context.with(withRequestScope(ROOT_CONTEXT, { requestId: Bun.randomUUIDv7() }), () => exchange(request)),
    isResting: () => backoff.isResting(),
  };
}

function toHeaders({ token, body, idempotencyKey, agent }: GatewayRequest): Record<string, string> {
  return {
    accept: "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
    ...(agent === undefined ? {} : { "user-agent": agent }),
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
