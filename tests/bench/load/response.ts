const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");

export class ResponseFault extends Error {}

/**
 * Finds the end of one HTTP/1.1 response on a connection with one request under way (RFC 9112 §6). It keeps nothing
 * of the body and knows no more of HTTP than a keep-alive answer of our own servers needs.
 */
export class ResponseReader {
  #held: Buffer | undefined;

  /**
   * The status once the response is complete, `undefined` while bytes are missing.
   * @throws ResponseFault when it is not a response, its length is unknown, or more follows than was asked for
   */
  push(chunk: Uint8Array): number | undefined {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#held === undefined ? fresh : Buffer.concat([this.#held, fresh]);
    const response = measure(bytes);
    if (response === undefined) {
      // The socket reuses its buffer for the next chunk.
      this.#held = bytes === fresh ? Buffer.from(fresh) : bytes;
      return undefined;
    }
    this.#held = undefined;
    if (response.end !== bytes.length) throw new ResponseFault("more bytes than one response");
    return response.status;
  }
}

function measure(bytes: Buffer): { readonly status: number; readonly end: number } | undefined {
  const headLength = bytes.indexOf(headEnd);
  if (headLength === -1) return undefined;
  const head = bytes.toString("latin1", 0, headLength);
  if (!head.startsWith("HTTP/1.1 ")) throw new ResponseFault(`not an HTTP/1.1 response: ${head.slice(0, 40)}`);
  const status = Number(head.slice(9, 12));
  const bodyStart = headLength + headEnd.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = bodyStart + Number(length);
    return bytes.length < end ? undefined : { status, end };
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const end = chunkedEnd(bytes, bodyStart);
    return end === undefined ? undefined : { status, end };
  }
  if (status === 204 || status === 304) return { status, end: bodyStart };
  throw new ResponseFault("a response without a length");
}

function chunkedEnd(bytes: Buffer, start: number): number | undefined {
  for (let at = start; ;) {
    const sizeEnd = bytes.indexOf(lineEnd, at);
    if (sizeEnd === -1) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, sizeEnd), 16);
    if (Number.isNaN(size)) throw new ResponseFault("a chunk without a size");
    at = sizeEnd + lineEnd.length + size + lineEnd.length;
    if (at > bytes.length) return undefined;
    if (size === 0) return at;
  }
}
