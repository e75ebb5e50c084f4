import { parseRequestId } from "@vitrine/kit/context";

/** What a page about one request is opened by. */
export interface RequestKey {
  readonly id: string;
  readonly kind: "request" | "trace";
  /** When the request came, if its id says so (RFC 9562 §5.7); milliseconds since the epoch. */
  readonly atMs: number | undefined;
}

const traceForm = /^[0-9a-f]{32}$/;
const version7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** A request id or a trace id; `undefined` for what can be neither. */
export function parseRequestKey(text: string): RequestKey | undefined {
  const id = parseRequestId(text);
  if (id === undefined) return undefined;
  if (traceForm.test(id)) return { id, kind: "trace", atMs: undefined };
  const [, high, low] = version7.exec(id) ?? [];
  const atMs = high === undefined || low === undefined ? undefined : Number.parseInt(high + low, 16);
  return { id, kind: "request", atMs };
}
