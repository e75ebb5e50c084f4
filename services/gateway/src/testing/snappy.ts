// @ts-expect-error: the package has no types
import { compress } from "snappyjs";

/** Packs bytes as a block of Snappy. */
export function snap(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return (compress as (content: Uint8Array) => Uint8Array<ArrayBuffer>)(Uint8Array.from(content));
}
