import { ServiceError } from "@vitrine/kit/errors";
import { takeBody } from "../body.ts";
import { type CollectorAnswer, refusalText } from "../collector/collector.ts";
import { identityHeaders } from "../headers.ts";
import type { IngestAnswer, IngestRequest } from "../ingest.ts";
import { ingestAnswerHeaders } from "../refuse.ts";
import { mediaType } from "../rpc-status.ts";
import { tooMany, toOtlpLogs } from "./otlp.ts";
import { decodePush } from "./protobuf.ts";
import { unsnap } from "./snappy.ts";

/** The collector's own cap (otel-collector/config.yaml), which what a push has become must not pass. */
const maxOtlpBytes = 16_777_216;

/**
 * Takes one push, JSON or protobuf under Snappy, and hands it to the collector as OTLP logs, so that Loki's clients go
 * the same way as all others: 204, or Loki's plain text with the status they retry by.
 *
 * @throws ServiceError 400 for a push that is none, 413, 415; 502, 503, 504 as the collector's `post` does
 */
export async function ingestLoki(call: IngestRequest): Promise<IngestAnswer> {
  const { request, rule, passage, path, timeoutMs } = call;
  const identity = identityHeaders(call.claims, request);
  const body = await takeBody(call);
  const bytes = await new Response(body.content).bytes().catch((error: unknown) => {
    throw body.fault() ?? error;
  });
  const packed = mediaType(request.headers.get("content-type") ?? undefined) === "application/x-protobuf";
  const push = packed ? unsnap(bytes, rule.decodedBytes) : bytes;
  passage.carried(push.byteLength);
  const logs = toOtlpLogs(packed ? decodePush(push) : parseJson(new TextDecoder().decode(push)));
  const content = new TextEncoder().encode(JSON.stringify(logs));
  if (content.byteLength > maxOtlpBytes) throw tooMany();
  const queued = passage.toUpstream();
  if (queued !== undefined) await queued;
  const answer = await call.collector.post({ path, identity, type: "application/json", content, timeoutMs });
  return { response: toLokiResponse(answer, call.requestId), bytes: body.received() };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServiceError("invalid_request", "the body is not JSON", { reason: "bad_encoding", cause });
  }
}

function toLokiResponse(answer: CollectorAnswer, requestId: string): Response {
  const rejected = answer.status < 300 ? rejectedEntries(answer) : undefined;
  // As in Loki, a 400 may mean that a part was stored: it is not to be sent again.
  const status = rejected !== undefined ? 400 : answer.status < 300 ? 204 : answer.status;
  const type = status === 204 ? undefined : "text/plain; charset=utf-8";
  const headers = ingestAnswerHeaders(type, requestId, status, answer.retryAfter);
  return new Response(status === 204 ? null : `${rejected ?? refusalText(answer)}\n`, { status, headers });
}

/** What a partial success says of the entries it left out; `undefined` when all were taken. */
function rejectedEntries({ body }: CollectorAnswer): string | undefined {
  if (body.byteLength === 0) return undefined;
  const { partialSuccess } = parseJson(new TextDecoder().decode(body)) as {
    readonly partialSuccess?: { readonly rejectedLogRecords?: string | number; readonly errorMessage?: string };
  };
  const count = Number(partialSuccess?.rejectedLogRecords ?? 0);
  return count > 0 ? `${count} entries were refused: ${partialSuccess?.errorMessage ?? "no reason given"}` : undefined;
}
