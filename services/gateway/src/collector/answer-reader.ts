/** One whole answer of an HTTP/1.1 server. */
export interface HttpAnswer {
  readonly status: number;
  /** Value of a header by its name in lower case; of one that came twice, the first. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Whether another request may follow on the connection (RFC 9112 §9.3). */
  readonly reusable: boolean;
}

/** What came is no answer this reader takes: the connection cannot be used any more. */
export class AnswerFault extends Error {}

const maxHeadBytes = 16_384;
/** The most an OTLP client reads of an answer. */
const maxBodyBytes = 4 * 1_048_576;

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly reusable: boolean;
  /** Bytes of the body, or that it comes in chunks. */
  readonly framing: number | "chunked";
}

/**
 * Reads answers off one connection, one request under way at a time (RFC 9112). Strict where leniency could make two
 * answers of one: one `Content-Length` in digits or `chunked` alone, never both and never neither; CRLF only; no folded
 * lines; no byte more than the answer.
 */
export class AnswerReader {
  #held: Uint8Array<ArrayBuffer> | undefined;
  #head: Head | undefined;
  #chunks: ChunkReader | undefined;

  /** True while an answer has begun and is not whole. */
  get begun(): boolean {
    return this.#held !== undefined || this.#head !== undefined;
  }

  /** The answer once it is whole, `undefined` while bytes are missing. @throws AnswerFault */
  push(chunk: Buffer): HttpAnswer | undefined {
    if (chunk.byteLength > maxLikelyBytes || this.begun) return this.#read(chunk);
    const text = chunk.toString("latin1");
    if (text === lastText) return lastAnswer;
    const answer = this.#read(chunk);
    if (answer === undefined) return undefined;
    lastText = text;
    return (lastAnswer = answer);
  }

  #read(chunk: Buffer): HttpAnswer | undefined {
    let bytes = this.#joined(chunk);
    while (this.#head === undefined) {
      const end = bytes.indexOf("\r\n\r\n", 0, "latin1");
      if (end > maxHeadBytes || (end === -1 && bytes.byteLength > maxHeadBytes))
        throw new AnswerFault("a head too long");
      if (end === -1) return this.#hold(bytes);
      const head = parseHead(bytes.toString("latin1", 0, end));
      bytes = bytes.subarray(end + 4);
      // Interim answers (RFC 9110 §15.2) say nothing the gateway waits for.
      if (head.status >= 200) this.#head = head;
      else if (bytes.byteLength === 0) return undefined;
    }
    const head = this.#head;
    const body = head.framing === "chunked" ? this.#readChunks(bytes) : this.#readLength(bytes, head.framing);
    if (body === undefined) return undefined;
    this.#head = undefined;
    return { status: head.status, headers: head.headers, reusable: head.reusable, body };
  }

  #readLength(bytes: Buffer, length: number): Uint8Array<ArrayBuffer> | undefined {
    if (bytes.byteLength > length) throw new AnswerFault("more than one answer");
    if (bytes.byteLength < length) return this.#hold(bytes);
    return length === 0 ? empty : new Uint8Array(bytes);
  }

  #readChunks(bytes: Buffer): Uint8Array<ArrayBuffer> | undefined {
    const chunks = (this.#chunks ??= new ChunkReader());
    const rest = chunks.push(bytes);
    if (!chunks.ended) return this.#hold(rest);
    if (rest.byteLength > 0) throw new AnswerFault("more than one answer");
    this.#chunks = undefined;
    return chunks.body();
  }

  /** The socket uses its buffer again for what comes next, so what is kept is a copy. */
  #hold(bytes: Buffer): undefined {
    this.#held = bytes.byteLength === 0 ? undefined : new Uint8Array(bytes);
    return undefined;
  }

  #joined(chunk: Buffer): Buffer {
    if (this.#held === undefined) return chunk;
    const joined = Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    return joined;
  }
}

const empty = new Uint8Array();
const statusForm = /^HTTP\/1\.1 ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/;
const lengthForm = /^[0-9]{1,7}$/;

/** Of a collector's answers in one second all but the first are that one again: only the `Date` changes. */
const maxLikelyBytes = 512;
let lastText = "";
let lastAnswer: HttpAnswer | undefined;

function parseHead(text: string): Head {
  const [first = "", ...lines] = text.split("\r\n");
  const status = Number(statusForm.exec(first)?.[1] ?? 0);
  if (status === 0) throw new AnswerFault("no HTTP/1.1 answer");
  if (status === 101) throw new AnswerFault("a change of protocol nobody asked for");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ""] = fieldForm.exec(line) ?? [];
    if (name === undefined) throw new AnswerFault("a header line that is none");
    const key = name.toLowerCase();
    if (!headers.has(key)) headers.set(key, value);
    else if (key === "content-length" || key === "transfer-encoding") throw new AnswerFault(`${key} twice`);
  }
  const reusable = !/(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(headers.get("connection") ?? "");
  return { status, headers, reusable, framing: status < 200 ? 0 : framingOf(status, headers) };
}

/** RFC 9112 §6.3, without its last resort: an answer that ends with the connection may have been cut short. */
function framingOf(status: number, headers: ReadonlyMap<string, string>): number | "chunked" {
  const length = headers.get("content-length");
  const coding = headers.get("transfer-encoding");
  if (length !== undefined && coding !== undefined) throw new AnswerFault("a length and a transfer coding");
  if (status === 204 || status === 304) return 0;
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked") throw new AnswerFault("another transfer coding than chunked");
    return "chunked";
  }
  if (length === undefined) throw new AnswerFault("an answer without a length");
  if (!lengthForm.test(length) || Number(length) > maxBodyBytes) throw new AnswerFault("a length out of bounds");
  return Number(length);
}

const sizeForm = /^([0-9A-Fa-f]{1,6})(?:[\t ]*;[\t\x20-\x7e]*)?$/;
/** A size with its extensions, or a trailer field. */
const maxLineBytes = 4_096;
const maxTrailers = 32;

/** Undoes the chunked coding (RFC 9112 §7.1). */
class ChunkReader {
  readonly #parts: Buffer[] = [];
  #size = 0;
  #state: "size" | "trailer" | "ended" = "size";
  #trailers = 0;

  get ended(): boolean {
    return this.#state === "ended";
  }

  body(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.concat(this.#parts));
  }

  /** Takes whole chunks and returns what is left of the bytes. @throws AnswerFault */
  push(bytes: Buffer): Buffer {
    let rest = bytes;
    while (this.#state !== "ended") {
      const end = rest.indexOf("\r\n", 0, "latin1");
      if (end > maxLineBytes || (end === -1 && rest.byteLength > maxLineBytes))
        throw new AnswerFault("a line too long");
      if (end === -1) return rest;
      const line = rest.toString("latin1", 0, end);
      if (this.#state === "trailer") {
        this.#readTrailer(line);
        rest = rest.subarray(end + 2);
        continue;
      }
      const size = Number.parseInt(sizeForm.exec(line)?.[1] ?? "", 16);
      if (Number.isNaN(size)) throw new AnswerFault("a chunk without a size");
      if (this.#size + size > maxBodyBytes) throw new AnswerFault("a body out of bounds");
      const from = end + 2;
      if (size > 0) {
        if (rest.byteLength < from + size + 2) return rest;
        if (rest[from + size] !== 13 || rest[from + size + 1] !== 10) throw new AnswerFault("a chunk of another size");
        this.#parts.push(Buffer.from(rest.subarray(from, from + size)));
        this.#size += size;
      } else this.#state = "trailer";
      rest = rest.subarray(size > 0 ? from + size + 2 : from);
    }
    return rest;
  }

  #readTrailer(line: string): void {
    if (line === "") this.#state = "ended";
    else if (!fieldForm.test(line) || (this.#trailers += 1) > maxTrailers)
      throw new AnswerFault("a trailer that is none");
  }
}
