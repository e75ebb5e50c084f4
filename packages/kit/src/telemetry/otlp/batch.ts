import type { Resource } from "@opentelemetry/resources";
import { encodeResource, encodeScope, type Scope } from "./common.ts";
import { ProtobufWriter, varintSize, writeVarint32 } from "./writer.ts";

export interface Item {
  readonly resource: Resource;
  readonly instrumentationScope: Scope;
}

/** Writers kept for the next batch; a process has few scopes. */
const maxSpare = 8;
/** Bytes; a writer that a rare batch made larger is not kept. */
const maxSpareBytes = 1_048_576;

/**
 * One export request under way: items are encoded as they come, each under its scope, and only bytes are kept of them.
 * {@link take} puts resource and scopes around the bytes. Spans and log records have the same shape up to there.
 */
export class Batch<T extends Item> {
  readonly #write: (writer: ProtobufWriter, item: T) => void;
  readonly #resources = new Map<Resource, Map<Scope, ProtobufWriter>>();
  readonly #spare: ProtobufWriter[] = [];
  #count = 0;
  #bytes = 0;

  /** @param write encodes an item with its length, as {@link ProtobufWriter.close} leaves it */
  constructor(write: (writer: ProtobufWriter, item: T) => void) {
    this.#write = write;
  }

  get count(): number {
    return this.#count;
  }

  /** Of the items alone. */
  get bytes(): number {
    return this.#bytes;
  }

  resources(): Iterable<Resource> {
    return this.#resources.keys();
  }

  /** Encodes an item. When that throws, the batch is as it was before. */
  add(item: T): void {
    const writer = this.#writerOf(item);
    const before = writer.length;
    try {
      writer.key(2, 2);
      this.#write(writer, item);
    } catch (error) {
      writer.cut(before);
      throw error;
    }
    this.#count += 1;
    this.#bytes += writer.length - before;
  }

  /** The request with everything added since the last call; `undefined` when there is nothing. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#count === 0) return undefined;
    const request = join([...this.#resources].flatMap(([resource, scopes]) => resourceGroup(resource, scopes)));
    for (const scopes of this.#resources.values()) for (const writer of scopes.values()) this.#keep(writer);
    this.#resources.clear();
    this.#count = 0;
    this.#bytes = 0;
    return request;
  }

  #writerOf({ resource, instrumentationScope }: T): ProtobufWriter {
    let scopes = this.#resources.get(resource);
    if (scopes === undefined) {
      scopes = new Map();
      this.#resources.set(resource, scopes);
    }
    let writer = scopes.get(instrumentationScope);
    if (writer === undefined) {
      writer = this.#spare.pop() ?? new ProtobufWriter();
      scopes.set(instrumentationScope, writer);
    }
    return writer;
  }

  #keep(writer: ProtobufWriter): void {
    if (this.#spare.length >= maxSpare || writer.length > maxSpareBytes) return;
    writer.clear();
    this.#spare.push(writer);
  }
}

const resourceBytes = new WeakMap<Resource, Uint8Array>();
const scopeBytes = new WeakMap<Scope, Uint8Array>();

type Parts = readonly Uint8Array[];

function resourceGroup(resource: Resource, scopes: ReadonlyMap<Scope, ProtobufWriter>): Parts {
  const groups = [...scopes].flatMap(([scope, writer]) =>
    writer.length === 0
      ? []
      : message(2, [...message(1, [scopeOf(scope)]), writer.written(), ...schemaUrl(scope.schemaUrl)]),
  );
  return message(1, [...message(1, [resourceOf(resource)]), ...groups, ...schemaUrl(resource.schemaUrl)]);
}

/** `parts` as a message inside another: with its key and length before them. */
function message(field: number, parts: Parts): Parts {
  const length = lengthOf(parts);
  const head = new Uint8Array(1 + varintSize(length));
  head[0] = (field << 3) | 2;
  writeVarint32(head, 1, length);
  return [head, ...parts];
}

function schemaUrl(url: string | undefined): Parts {
  return url === undefined || url === "" ? [] : message(3, [new TextEncoder().encode(url)]);
}

function lengthOf(parts: Parts): number {
  return parts.reduce((total, part) => total + part.length, 0);
}

function join(parts: Parts): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function scopeOf(scope: Scope): Uint8Array {
  return remembered(scopeBytes, scope, encodeScope);
}

/** Kept once it is complete: a detector may still be asking for some of its attributes. */
function resourceOf(resource: Resource): Uint8Array {
  if (resource.asyncAttributesPending === true) return encodeResource(resource);
  return remembered(resourceBytes, resource, encodeResource);
}

function remembered<K extends object>(
  known: WeakMap<K, Uint8Array>,
  key: K,
  encode: (key: K) => Uint8Array,
): Uint8Array {
  const bytes = known.get(key) ?? encode(key);
  known.set(key, bytes);
  return bytes;
}
