const firstCapacity = 16_384;
/** Texts below this are copied unit by unit: for them a call into the runtime costs more than the copy. */
const shortText = 40;
const two32 = 4_294_967_296;

/**
 * Writes protobuf (wire format of proto3) into one growing buffer that is used again after {@link clear}. A message
 * inside a message is written in place: its length goes before it afterwards, where one byte was left for it.
 */
export class ProtobufWriter {
  #bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(firstCapacity);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written so far; valid until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer, 0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Takes back everything written past `length`. */
  cut(length: number): void {
    this.#length = length;
  }

  /** A field key of one byte, or two from field 16 on: `number << 3 | wire type`. */
  key(number: number, wireType: 0 | 1 | 2 | 5): void {
    this.varint((number << 3) | wireType);
  }

  varint(value: number): void {
    this.#reserve(10);
    if (value >= 0 && value < two32) {
      this.#length = writeVarint32(this.#bytes, this.#length, value);
      return;
    }
    const magnitude = Math.abs(value);
    let low = magnitude >>> 0;
    let high = Math.floor(magnitude / two32) >>> 0;
    if (value < 0) {
      // Two's complement of 64 bits, as int64 is written.
      low = -low >>> 0;
      high = low === 0 ? -high >>> 0 : ~high >>> 0;
    }
    while (high > 0 || low > 127) {
      this.#bytes[this.#length++] = (low & 127) | 128;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#length++] = low;
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value >>> 0, this.#length);
  }

  fixed64(low: number, high: number): void {
    this.#reserve(8);
    this.#bytes.writeUInt32LE(low >>> 0, this.#length);
    this.#length = this.#bytes.writeUInt32LE(high >>> 0, this.#length + 4);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Lower-case hexadecimal digits, an even number of them, as the bytes they stand for. */
  hex(digits: string): void {
    const count = digits.length >>> 1;
    this.varint(count);
    this.#reserve(count);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let n = 0; n < count; n++)
      bytes[at++] = (nibble(digits.charCodeAt(2 * n)) << 4) | nibble(digits.charCodeAt(2 * n + 1));
    this.#length = at;
  }

  /** UTF-8 with its length; a lone surrogate becomes U+FFFD. */
  text(text: string): void {
    const units = text.length;
    this.#reserve(3 * units + 5);
    const start = this.#length;
    if (units < shortText) {
      const bytes = this.#bytes;
      let n = 0;
      for (; n < units; n++) {
        const unit = text.charCodeAt(n);
        if (unit > 127) break;
        bytes[start + 1 + n] = unit;
      }
      if (n === units) {
        bytes[start] = units;
        this.#length = start + 1 + units;
        return;
      }
    }
    // Nearly every text is ASCII, whose length in bytes is known beforehand.
    const room = varintSize(units);
    const size = this.#bytes.write(text, start + room, "utf8");
    const needed = varintSize(size);
    if (needed !== room) this.#bytes.copyWithin(start + needed, start + room, start + room + size);
    this.#length = writeVarint32(this.#bytes, start, size) + size;
  }

  /** Begins a message inside this one and returns what {@link close} takes. */
  open(): number {
    this.#reserve(1);
    return this.#length++;
  }

  close(opened: number): void {
    const size = this.#length - opened - 1;
    const needed = varintSize(size);
    if (needed > 1) {
      this.#reserve(needed);
      this.#bytes.copyWithin(opened + needed, opened + 1, this.#length);
      this.#length += needed - 1;
    }
    writeVarint32(this.#bytes, opened, size);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Bytes a length below 2^32 takes as a varint. */
export function varintSize(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  if (value < 2_097_152) return 3;
  return value < 268_435_456 ? 4 : 5;
}

/** Writes a length below 2^32 and returns where it ends. */
export function writeVarint32(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0;
  let end = at;
  while (rest > 127) {
    bytes[end++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[end++] = rest;
  return end;
}

function nibble(unit: number): number {
  // `0` to `9`, then `A` to `F` and `a` to `f`, whose low four bits are 1 to 6.
  return unit < 58 ? unit - 48 : (unit & 15) + 9;
}
