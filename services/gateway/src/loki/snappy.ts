import { ServiceError } from "@vitrine/kit/errors";

/**
 * Undoes the block format of Snappy, in which Loki's clients send. The length a block says it unpacks to is judged
 * before any memory is taken for it (CWE-409), and every copy must stay within what is there.
 *
 * @throws ServiceError `payload_too_large` past `cap` bytes, `invalid_request` for what is no block
 */
export function unsnap(block: Uint8Array, cap: number): Uint8Array<ArrayBuffer> {
  const source = new BlockReader(block);
  const size = source.length();
  if (size > cap)
    throw new ServiceError("payload_too_large", `the body is larger than ${cap} bytes`, { reason: "too_large" });
  // A copy of 64 bytes takes three: more than this cannot come out of what is there.
  if (size > block.byteLength * 22) throw broken();
  const out = new Uint8Array(size);
  let at = 0;
  while (!source.ended) {
    const tag = source.byte();
    const kind = tag & 3;
    if (kind === 0) {
      const literal = source.literal(tag >> 2);
      if (at + literal.byteLength > size) throw broken();
      out.set(literal, at);
      at += literal.byteLength;
      continue;
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? ((tag >> 5) << 8) | source.byte() : source.number(kind === 2 ? 2 : 4);
    if (offset === 0 || offset > at || at + length > size) throw broken();
    copy(out, at, offset, length);
    at += length;
  }
  if (at !== size) throw broken();
  return out;
}

/** What is copied may overlap what it makes: then it repeats itself. */
function copy(out: Uint8Array, at: number, offset: number, length: number): void {
  if (offset >= length) out.copyWithin(at, at - offset, at - offset + length);
  else for (let n = at; n < at + length; n += 1) out[n] = out[n - offset] ?? 0;
}

class BlockReader {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  get ended(): boolean {
    return this.#at >= this.#block.byteLength;
  }

  byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw broken();
    this.#at += 1;
    return byte;
  }

  /** A number of so many bytes, the least first. */
  number(bytes: number): number {
    let value = 0;
    for (let n = 0; n < bytes; n += 1) value += this.byte() * 2 ** (8 * n);
    return value;
  }

  /** The length before all else: up to 32 bits, seven to a byte. */
  length(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw broken();
  }

  literal(code: number): Uint8Array {
    const length = (code < 60 ? code : this.number(code - 59)) + 1;
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#block.byteLength) throw broken();
    return this.#block.subarray(from, this.#at);
  }
}

function broken(): ServiceError {
  return new ServiceError("invalid_request", "the body is not valid snappy", { reason: "bad_encoding" });
}
