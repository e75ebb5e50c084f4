import { type Context, context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";

/** What every log line and outgoing call of a request needs to know about it. */
export interface RequestScope {
  readonly requestId: string;
  /** Subject of the verified token; set once it is known. */
  user?: string;
}

const key = createContextKey("vitrine request");

/** Returns `parent` with the request in it. One OpenTelemetry context carries span and request: one async store. */
export function withRequestScope(parent: Context, scope: RequestScope): Context {
  return parent.setValue(key, scope);
}

/** The request this code runs for, or `undefined` outside of one. */
export function currentRequest(active: Context = context.active()): RequestScope | undefined {
  return active.getValue(key) as RequestScope | undefined;
}

/** Runs work for a request that leaves no span: its log lines and outgoing calls know the request, and no trace. */
export function withoutSpan<T>(scope: RequestScope, work: () => T): T {
  return context.with(suppressTracing(withRequestScope(ROOT_CONTEXT, scope)), work);
}

const requestIdForm = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/**
 * A request id taken from outside: 1 to 128 letters, digits, `.`, `_`, `:` or `-`. Anything else is not an id: it
 * would reach log lines, headers and queries.
 */
export function parseRequestId(value: string | null | undefined): string | undefined {
  return value !== null && value !== undefined && requestIdForm.test(value) ? value : undefined;
}
