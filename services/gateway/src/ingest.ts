import type { AccessClaims } from "@vitrine/contracts/auth";
import { takeBody, type TakenBody } from "./body.ts";
import { type Collector, type CollectorAnswer, refusalText } from "./collector/collector.ts";
import { identityHeaders } from "./headers.ts";
import { ingestAnswerHeaders } from "./refuse.ts";
import { wrong } from "./collector/faults.ts";
import { encodeStatus, type OtlpMediaType, otlpMediaType } from "./rpc-status.ts";

export interface IngestRequest extends TakenBody {
  readonly claims: AccessClaims;
  readonly collector: Collector;
  /** The collector's path for this signal. */
  readonly path: string;
  readonly timeoutMs: number;
  /** Goes out with the answer. */
  readonly requestId: string;
}

export interface IngestAnswer {
  readonly response: Response;
  /** Encoded bytes the client sent. */
  readonly bytes: number;
}

/**
 * Hands one OTLP/HTTP request to the collector: decoded, unparsed, under the verified identity. What comes back is
 * success, partial success, or a `google.rpc.Status` in the request's encoding, with the status the exporter needs to
 * keep or drop its data.
 *
 * @throws ServiceError 413, 415, 400 for the body; 502, 503, 504 as the collector's `post` does
 */
export async function ingestOtlp(call: IngestRequest): Promise<IngestAnswer> {
  const { request, passage, path, timeoutMs } = call;
  const identity = identityHeaders(call.claims, request);
  const body = await takeBody(call);
  const queued = passage.toUpstream();
  if (queued !== undefined) await queued;
  const type = otlpMediaType(request.headers.get("content-type") ?? undefined);
  const { content, length } = body;
  let answer: CollectorAnswer;
  try {
    answer = await call.collector.post({ path, identity, type, content, length, timeoutMs });
  } catch (error) {
    throw body.fault() ?? error;
  }
  body.release();
  // The collector may have answered before it read so far.
  const fault = body.fault();
  if (fault !== undefined) throw fault;
  passage.carried(body.decoded());
  return { response: toOtlpResponse(answer, type, call.requestId), bytes: body.received() };
}

function toOtlpResponse(answer: CollectorAnswer, type: OtlpMediaType, requestId: string): Response {
  const { status } = answer;
  const init = { status, headers: ingestAnswerHeaders(type, requestId, status, answer.retryAfter) };
  // A 5xx speaks of what is behind the collector, addresses included: that stays inside.
  const plain = status < 500 && answer.mediaType === type;
  if (plain || (status < 300 && answer.body.byteLength === 0)) return new Response(answer.body, init);
  // An exporter counts a success it cannot read as lost.
  if (status < 300) throw wrong(new Error(`the collector answered ${status} as ${answer.mediaType ?? "nothing"}`));
  return new Response(encodeStatus(status, refusalText(answer), type), init);
}
