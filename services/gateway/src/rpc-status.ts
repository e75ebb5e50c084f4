/** Codes of `google.rpc.Code` by HTTP status; 413 is RESOURCE_EXHAUSTED by the OTLP specification. */
const codes: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  408: 4,
  413: 8,
  415: 3,
  429: 8,
  500: 13,
  502: 14,
  503: 14,
  504: 4,
};

const unknownCode = 2;

export type OtlpMediaType = "application/x-protobuf" | "application/json";

/** The encoding errors are written in: the request's, and protobuf where it has none that OTLP knows. */
export function otlpMediaType(contentType: string | undefined): OtlpMediaType {
  return mediaType(contentType)?.endsWith("json") === true ? "application/json" : "application/x-protobuf";
}

/** The type and subtype of a `Content-Type`, without parameters, in lower case (RFC 9110 §8.3.1). */
export function mediaType(contentType: string | undefined): string | undefined {
  // What nearly every request and answer says needs no reading.
  if (contentType === "application/x-protobuf" || contentType === "application/json") return contentType;
  return contentType?.split(";", 1)[0]?.trim().toLowerCase();
}

/** A `google.rpc.Status` with code and message: the body of every failed OTLP/HTTP request. */
export function encodeStatus(
  httpStatus: number,
  message: string,
  type: OtlpMediaType,
): string | Uint8Array<ArrayBuffer> {
  const code = codes[httpStatus] ?? unknownCode;
  if (type === "application/json") return JSON.stringify({ code, message });
  const text = Buffer.from(message);
  // Field 1, varint (every code is below 128); field 2, length-delimited.
  const head = [0x08, code, 0x12, ...varint(text.byteLength)];
  const bytes = new Uint8Array(head.length + text.byteLength);
  bytes.set(head);
  bytes.set(text, head.length);
  return bytes;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
