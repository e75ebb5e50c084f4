import { ServiceError } from "@vitrine/kit/errors";
import type { BodyRule } from "./routes/route.ts";
import { readAhead, tooSlow, watch } from "./body-stream.ts";

/** Up to this a body is read whole before anything is sent on: twice as fast as a stream, and bounded per request. */
export const wholeBytes = 262_144;

/** What is unzipped in one go, about a millisecond of the one thread; what unpacks to more becomes a stream. */
export const inlineDecodedBytes = 2_097_152;

/** A body on its way in: counted, and ended when it is too large or too slow. */
export interface Arrival {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** `NaN` where it is not known. */
  readonly length: number;
  readonly received: () => number;
  readonly fault: () => ServiceError | undefined;
}

export function watchArrival(source: Arrival["stream"], rule: BodyRule, length: number): Arrival {
  let received = 0;
  let fault: ServiceError | undefined;
  const stream = watch(source, {
    inspect: (chunk) => {
      received += chunk.byteLength;
      if (received > rule.encodedBytes) throw (fault = tooLarge(rule.encodedBytes));
    },
    withinMs: rule.arriveMs,
    late: () => (fault ??= tooSlow(rule.arriveMs)),
  });
  return { stream, length, received: () => received, fault: () => fault };
}

/**
 * Waits for the first part, which may be all: that a body comes in chunks does not say that it is large, and one that is
 * packed may be a bomb.
 */
export async function arrive(
  request: Request,
  source: Arrival["stream"],
  rule: BodyRule,
  length: number,
  packed: boolean,
): Promise<Uint8Array<ArrayBuffer> | Arrival> {
  const arrival = watchArrival(source, rule, length);
  if (Number.isNaN(length)) checkCoding(request);
  else if (!packed) return arrival;
  const ahead = await readAhead(arrival.stream, packed ? inlineDecodedBytes : wholeBytes).catch((error: unknown) => {
    throw arrival.fault() ?? error;
  });
  return ahead instanceof Uint8Array ? ahead : { ...arrival, stream: ahead };
}

/** Bun also takes a list with empty places for `chunked`; another parser may not (RFC 9112 §6.1). */
function checkCoding(request: Request): void {
  if (request.headers.get("transfer-encoding")?.toLowerCase() === "chunked") return;
  throw new ServiceError("invalid_request", "the transfer coding must be chunked, once", { reason: "bad_encoding" });
}

export function tooLarge(bytes: number): ServiceError {
  return new ServiceError("payload_too_large", `the body is larger than ${bytes} bytes`, { reason: "too_large" });
}
