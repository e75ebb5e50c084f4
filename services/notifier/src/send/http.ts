import { pause } from "@vitrine/kit/pause";
import { AddressRefused, type AddressPolicy, isLiteral, pinAddress } from "./address.ts";
import { failed, type Outcome } from "./outcome.ts";

export interface HttpPost {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SendContext {
  readonly policy: AddressPolicy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds an attempt may take in all; mail servers may be slow on purpose. */
  readonly timeoutMs: { readonly http: number; readonly mail: number };
  /** How many attempts were made before. */
  readonly attempts: number;
  /** Ends the attempt before its time. */
  readonly signal: AbortSignal;
  /** PEM texts trusted beside those of the system: for tests, where no public authority signs. */
  readonly ca?: string;
}

/**
 * Sends to an address that was judged, whatever the name says meanwhile: TLS is still checked against the name. Nothing
 * of the answer is kept but its status, so that no target can be used to read what lies behind an address.
 */
export async function post(request: HttpPost, context: SendContext): Promise<Outcome> {
  const deadline = AbortSignal.any([AbortSignal.timeout(context.timeoutMs.http), context.signal]);
  try {
    const url = new URL(request.url);
    // A resolver knows no deadline.
    const pinned = await Promise.race([pinAddress(url.hostname, context.policy, context.attempts), rejected(deadline)]);
    if (url.protocol !== "https:" && !pinned.isAllowed) throw new AddressRefused("only allowed networks take http");
    const target = new URL(url);
    target.hostname = pinned.family === 6 ? `[${pinned.address}]` : pinned.address;
    const response = await fetch(target, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "vitrine-notifier",
        ...request.headers,
        host: url.host,
      },
      body: request.body,
      redirect: "manual",
      // A connection kept for another name at this address was checked against that one.
      keepalive: false,
      signal: deadline,
      tls: {
        // An address is checked as such (RFC 6066 §3: it is no server name).
        ...(isLiteral(url.hostname) ? {} : { serverName: url.hostname }),
        ...(context.ca === undefined ? {} : { ca: context.ca }),
      },
    });
    void response.body?.cancel().catch(() => undefined);
    return judge(response, context.now());
  } catch (error) {
    return judgeError(error, deadline);
  }
}

async function rejected(deadline: AbortSignal): Promise<never> {
  await pause(2_147_483_647, deadline);
  throw deadline.reason;
}

/** Will be refused again as it is; everything else may be mended at the target, and the message waits for that. */
const final = new Set([400, 413, 422]);

function judge(response: Response, now: number): Outcome {
  const { status } = response;
  if (status >= 200 && status < 300) return { kind: "delivered", status };
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), now);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429) return { kind: "failed", failure: "rate_limited", status, ...wait };
  if (status >= 500) return { kind: "failed", failure: "server_error", status, ...wait };
  if (status >= 300 && status < 400) return failed("redirect", status);
  if (status === 401 || status === 403) return failed("authentication", status);
  if (status === 410) return { kind: "refused", failure: "gone", status };
  return { kind: final.has(status) ? "refused" : "failed", failure: "refused", status };
}

const maxRetryAfterMs = 3_600_000;

/** `Retry-After` in milliseconds, at most an hour (RFC 9110 §10.2.3); Discord gives fractions of seconds. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d{1,9}(\.\d{1,6})?$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxRetryAfterMs);
}

const tlsError = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY/;

export function judgeError(error: unknown, deadline: AbortSignal): Outcome {
  if (error instanceof AddressRefused) return failed("address_refused");
  if (deadline.aborted) return failed("timeout");
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  return failed(tlsError.test(code) ? "tls" : "unreachable");
}
