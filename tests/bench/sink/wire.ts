/** One field of a protobuf message; `bytes` is empty unless its wire type is "length-delimited". */
export interface WireField {
  readonly number: number;
  /** The value of a varint or fixed64 field. */
  readonly value: number;
  readonly bytes: Uint8Array;
}

const none = new Uint8Array();

/**
 * Walks the fields of one protobuf message without decoding what lies inside them: counting the spans of a batch costs
 * a step for each span, so that the sink takes little of the processor it shares with what is measured.
 * @throws RangeError when the message is cut short or uses a wire type protobuf 3 does not have
 */
export function* wireFields(message: Uint8Array): Generator<WireField> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  for (let at = 0; at < message.byteLength;) {
    const tag = varint(view, at);
    at = tag.end;
    const number = Math.floor(tag.value / 8);
    switch (tag.value % 8) {
      case 0: {
        const { value, end } = varint(view, at);
        at = end;
        yield { number, value, bytes: none };
        break;
      }
      case 1:
        yield { number, value: Number(view.getBigUint64(at, true)), bytes: none };
        at += 8;
        break;
      case 2: {
        const length = varint(view, at);
        at = length.end + length.value;
        if (at > message.byteLength) throw new RangeError("a protobuf message is cut short");
        yield { number, value: 0, bytes: message.subarray(length.end, at) };
        break;
      }
      case 5:
        yield { number, value: view.getUint32(at, true), bytes: none };
        at += 4;
        break;
      default:
        throw new RangeError(`protobuf wire type ${tag.value % 8}`);
    }
  }
}

function varint(view: DataView, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = start, factor = 1; ; at += 1, factor *= 128) {
    const byte = view.getUint8(at);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: at + 1 };
  }
}
