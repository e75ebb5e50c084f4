import { gunzipSync } from "node:zlib";
import { ServiceError } from "@vitrine/kit/errors";
import type { BodyRule, Encoding } from "./routes/route.ts";
import { type Arrival, arrive, inlineDecodedBytes, tooLarge, watchArrival, wholeBytes } from "./body-arrival.ts";
import { arriveWithin, readAhead, watch } from "./body-stream.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Passage } from "./limits/limits.ts";
import { mediaType } from "./rpc-status.ts";

/** A request's body on its way to an upstream, always decoded: what was counted is what is sent. */
export interface ForwardBody {
  readonly content: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes of the content, where they are known before it was read. */
  readonly length: number | undefined;
  /** Encoded bytes the client has sent so far. */
  received(): number;
  /** Bytes they have become. */
  decoded(): number;
  /** Gives the memory back now, not when the garbage collector comes by; the content is gone then. */
  release(): void;
  /** Why the body cannot be taken, known once it was read to where it breaks a rule. */
  fault(): ServiceError | undefined;
}

export interface TakenBody {
  readonly request: Request;
  /** As {@link declaredBytes} tells. */
  readonly declared: number;
  readonly rule: BodyRule;
  readonly passage: Passage;
  readonly deadlines: Deadlines;
}

/**
 * Takes a body within its rule. Compression is undone here under the cap for decoded bytes; nothing past a cap is ever
 * held (CWE-409, ASVS 5.2.3). What is small as it comes is known to be whole and sound before an upstream hears of it,
 * whatever it unpacks to. What takes memory to unpack waits for its place first.
 *
 * @throws ServiceError `unsupported_media_type`, `payload_too_large`, `request_timeout`, `invalid_request` (cannot be
 * decompressed, framed in a doubtful way), and what `Passage.toUnpack` throws; a stream tells all but the first later,
 * by {@link ForwardBody.fault}
 */
export async function takeBody({
  request,
  declared: length,
  rule,
  passage,
  deadlines,
}: TakenBody): Promise<ForwardBody> {
  checkMediaType(request, rule);
  const encoding = contentEncoding(request, rule);
  if (length > rule.encodedBytes) throw tooLarge(rule.encodedBytes);
  const isSmall = length <= wholeBytes;
  // Whoever asks for `body` has a stream made, which one read costs less than.
  const source = isSmall ? null : request.body;
  if (length === 0 || (source === null && !isSmall)) return new WholeBody(new Uint8Array(), 0);
  const packed = encoding !== "identity";
  if (packed && !isSmall) await passage.toUnpack();
  let arrival: Uint8Array<ArrayBuffer> | Arrival;
  if (source === null) {
    const [arriving, deadline] = arriveWithin(rule.arriveMs, request.bytes(), deadlines);
    try {
      arrival = await arriving;
    } finally {
      deadline.callOff();
    }
  } else arrival = await arrive(request, source, rule, length, packed);
  if (!(arrival instanceof Uint8Array)) return streamed(arrival, encoding, rule, request.signal);
  const content = unpackAtOnce(arrival, encoding, rule);
  if (content !== undefined) return new WholeBody(content, arrival.byteLength);
  if (packed && isSmall) await passage.toUnpack();
  return await unpackInPieces(arrival, encoding, rule, request.signal);
}

/** What `Content-Length` says; `NaN` for a body of unknown length. */
export function declaredBytes(request: Request): number {
  return Number(request.headers.get("content-length") ?? Number.NaN);
}

function checkMediaType(request: Request, rule: BodyRule): void {
  if (rule.mediaTypes === undefined) return;
  if (rule.mediaTypes.includes(mediaType(request.headers.get("content-type") ?? undefined) ?? "")) return;
  throw new ServiceError("unsupported_media_type", `send ${rule.mediaTypes.join(" or ")}`, {
    reason: "unsupported_media_type",
    headers: { accept: rule.mediaTypes.join(", ") },
  });
}

function contentEncoding(request: Request, rule: BodyRule): Encoding {
  const named = (request.headers.get("content-encoding") ?? "").trim().toLowerCase() || "identity";
  if (isOneOf(rule.encodings, named)) return named === "snappy" ? "identity" : named;
  throw new ServiceError(
    "unsupported_media_type",
    `the Content-Encoding must be one of ${rule.encodings.join(", ")}, once`,
    // RFC 9110 §15.5.16: this is how a 415 says that the coding, not the type, is wrong.
    { reason: "unsupported_encoding", headers: { "accept-encoding": rule.encodings.join(", ") } },
  );
}

function isOneOf(encodings: readonly Encoding[], named: string): named is Encoding {
  return encodings.includes(named as Encoding);
}

class WholeBody implements ForwardBody {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly length: number;
  readonly #received: number;

  constructor(content: Uint8Array<ArrayBuffer>, received: number) {
    this.content = content;
    this.length = content.byteLength;
    this.#received = received;
  }

  received(): number {
    return this.#received;
  }

  decoded(): number {
    return this.length;
  }

  /** Bodies are nearly all the memory a busy gateway asks for: used again at once, the same few pages do for all. */
  release(): void {
    this.content.buffer.transfer(0);
  }

  fault(): undefined {
    return undefined;
  }
}

/** `undefined` for what is not unpacked in one go: zstd, of which Bun's synchronous call takes a cut-off frame for a whole one. */
function unpackAtOnce(
  bytes: Uint8Array<ArrayBuffer>,
  encoding: Encoding,
  rule: BodyRule,
): Uint8Array<ArrayBuffer> | undefined {
  if (bytes.byteLength > rule.encodedBytes) throw tooLarge(rule.encodedBytes);
  if (encoding === "identity") return bytes;
  return encoding === "gzip" ? gunzip(bytes, rule.decodedBytes) : undefined;
}

/** `undefined` when the body unpacks to more than is unpacked in one go. */
function gunzip(bytes: Uint8Array, cap: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: Math.min(cap, inlineDecodedBytes) });
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause.code !== "ERR_BUFFER_TOO_LARGE")
      throw badEncoding("gzip", cause);
    if (cap <= inlineDecodedBytes) throw tooLarge(cap);
    return undefined;
  }
}

/** Unpacked to see that it can be; where that is too much to hold, it is unpacked once more on its way out. */
async function unpackInPieces(
  bytes: Uint8Array<ArrayBuffer>,
  encoding: Encoding,
  rule: BodyRule,
  client: AbortSignal,
): Promise<ForwardBody> {
  const unpack = () => streamed(watchArrival(new Blob([bytes]).stream(), rule, Number.NaN), encoding, rule, client);
  const trial = unpack();
  try {
    const ahead = await readAhead(trial.content, inlineDecodedBytes);
    if (ahead instanceof Uint8Array) return new WholeBody(ahead, bytes.byteLength);
    await ahead.pipeTo(new WritableStream());
  } catch (error) {
    throw trial.fault() ?? error;
  }
  return unpack();
}

interface StreamedBody extends ForwardBody {
  readonly content: ReadableStream<Uint8Array<ArrayBuffer>>;
}

function streamed(arrival: Arrival, encoding: Encoding, rule: BodyRule, client: AbortSignal): StreamedBody {
  const { stream, length, received } = arrival;
  const release = () => undefined;
  if (encoding === "identity") {
    const known = Number.isNaN(length) ? undefined : length;
    return { content: stream, length: known, received, decoded: received, release, fault: arrival.fault };
  }
  let decoded = 0;
  let fault: ServiceError | undefined;
  // Bun decodes zstd as well; the types of the web platform do not know it yet.
  const content = watch(stream.pipeThrough(new DecompressionStream(encoding as CompressionFormat)), {
    inspect: (chunk) => {
      decoded += chunk.byteLength;
      if (decoded > rule.decodedBytes) throw (fault = tooLarge(rule.decodedBytes));
    },
    failed: (cause) => {
      if (!client.aborted) fault ??= arrival.fault() ?? badEncoding(encoding, cause);
    },
  });
  return {
    content,
    length: undefined,
    received,
    decoded: () => decoded,
    release,
    fault: () => fault ?? arrival.fault(),
  };
}

function badEncoding(encoding: Encoding, cause: unknown): ServiceError {
  return new ServiceError("invalid_request", `the body is not valid ${encoding}`, { reason: "bad_encoding", cause });
}
