import { gunzipSync } from "node:zlib";
import { ServiceError } from "@vitrine/kit/errors";
import type { BodyRule, Encoding } from "./routes/route.ts";
import { arriveWithin, tooSlow, watch } from "./body-stream.ts";
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

/** Bodies of a declared length up to this are read whole: twice as fast as a stream, and bounded per request. */
const wholeBytes = 262_144;

export interface TakenBody {
  readonly request: Request;
  readonly rule: BodyRule;
  readonly passage: Passage;
  readonly deadlines: Deadlines;
}

/** What is unzipped in one go, about a millisecond of the one thread; what unpacks to more becomes a stream. */
const inlineDecodedBytes = 2_097_152;

/**
 * Takes a body within its rule. Compression is undone here, once, under the cap for decoded bytes; nothing past a cap
 * is ever held (CWE-409, ASVS 5.2.3). A body that is unpacked piece by piece waits for its place first.
 *
 * @throws ServiceError `unsupported_media_type`, `payload_too_large`, `request_timeout`, `invalid_request` (cannot be
 * decompressed), and what `Passage.toUnpack` throws; a stream tells all but the first later, by {@link ForwardBody.fault}
 */
export async function takeBody({ request, rule, passage, deadlines }: TakenBody): Promise<ForwardBody> {
  checkMediaType(request, rule);
  const encoding = contentEncoding(request, rule);
  const length = declaredBytes(request);
  if (length > rule.encodedBytes) throw tooLarge(rule.encodedBytes);
  if (request.body === null) return whole(new Uint8Array(), 0);
  // The synchronous zstd of Bun takes a cut-off frame for a whole one; its stream does not.
  if (length <= wholeBytes && encoding !== "zstd") {
    const bytes = await arriveWithin(rule.arriveMs, request.bytes(), deadlines);
    if (bytes.byteLength > rule.encodedBytes) throw tooLarge(rule.encodedBytes);
    if (encoding === "identity") return whole(bytes, bytes.byteLength);
    const decoded = gunzip(bytes, rule.decodedBytes);
    if (decoded !== undefined) return whole(decoded, bytes.byteLength);
    await passage.toUnpack();
    return streamed(new Blob([bytes]).stream(), encoding, rule, request.signal);
  }
  if (encoding !== "identity") await passage.toUnpack();
  return streamed(request.body, encoding, rule, request.signal, length);
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
  const known = rule.encodings.find((encoding) => encoding === named);
  if (known !== undefined) return known === "snappy" ? "identity" : known;
  throw new ServiceError(
    "unsupported_media_type",
    `the Content-Encoding must be one of ${rule.encodings.join(", ")}, once`,
    // RFC 9110 §15.5.16: this is how a 415 says that the coding, not the type, is wrong.
    { reason: "unsupported_encoding", headers: { "accept-encoding": rule.encodings.join(", ") } },
  );
}

function whole(content: Uint8Array<ArrayBuffer>, received: number): ForwardBody {
  return new WholeBody(content, received);
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

function streamed(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  encoding: Encoding,
  rule: BodyRule,
  client: AbortSignal,
  declared = Number.NaN,
): ForwardBody {
  let received = 0;
  let unpacked = 0;
  let fault: ServiceError | undefined;
  const encoded = watch(source, {
    inspect: (chunk) => {
      received += chunk.byteLength;
      if (received > rule.encodedBytes) throw (fault = tooLarge(rule.encodedBytes));
    },
    withinMs: rule.arriveMs,
    late: () => (fault ??= tooSlow(rule.arriveMs)),
  });
  const content =
    encoding === "identity"
      ? encoded
      : watch(
          // Bun decodes zstd as well; the types of the web platform do not know it yet.
          encoded.pipeThrough(new DecompressionStream(encoding as CompressionFormat)),
          {
            inspect: (chunk) => {
              unpacked += chunk.byteLength;
              if (unpacked > rule.decodedBytes) throw (fault = tooLarge(rule.decodedBytes));
            },
            failed: (cause) => {
              if (!client.aborted) fault ??= badEncoding(encoding, cause);
            },
          },
        );
  return {
    content,
    length: encoding === "identity" && declared >= 0 ? declared : undefined,
    received: () => received,
    decoded: () => (encoding === "identity" ? received : unpacked),
    release: () => undefined,
    fault: () => fault,
  };
}

function tooLarge(bytes: number): ServiceError {
  return new ServiceError("payload_too_large", `the body is larger than ${bytes} bytes`, { reason: "too_large" });
}

function badEncoding(encoding: Encoding, cause: unknown): ServiceError {
  return new ServiceError("invalid_request", `the body is not valid ${encoding}`, { reason: "bad_encoding", cause });
}
