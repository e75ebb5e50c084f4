/** JSON Schema as far as our documents use it. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly format?: string;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A source of requests; the same for the same seed. */
export interface Fuzz {
  /** A value in [0, 1). */
  random(): number;
  pick<T>(items: readonly T[]): T;
  /** A value the schema allows, as far as it can be told. */
  valid(schema: Schema): unknown;
  /** A value the schema may or may not allow. */
  wild(schema: Schema, depth?: number): unknown;
  /** Text nobody should send. */
  nastyText(): string;
}

/** Text for the patterns of our schemas: the first that fits is taken. */
const samples = [
  "shop",
  "shop-",
  "logs:write",
  "0123456789abcdef",
  "2990-01-01T00:00:00Z",
  "1",
  "25",
  "current",
  "urn:ietf:params:oauth:grant-type:token-exchange",
];

const nasties = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\r\nx-evil: 1",
  "%00",
  "%2f..%2f",
  "../../etc/passwd",
  "'; drop table users; --",
  "<script>alert(1)</script>",
  "ＡＢＣ\u202e",
  "\ud800",
  "😀".repeat(50),
  "x".repeat(70),
  "x".repeat(5_000),
  "-1",
  "1e309",
  "9007199254740993",
  "null",
  "{}",
  "__proto__",
];

/** Makes requests from schemas, the same for the same seed. */
export function createFuzz(seed: number): Fuzz {
  let state = seed >>> 0;

  /** Mulberry32. */
  function random(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  function pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new RangeError("there is nothing to pick from");
    return item;
  }

  /** A random one (RFC 9562 §5.4). */
  function uuid(): string {
    const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** Text that was not there before where the schema lets it, for names that can be had once. */
  function text(schema: Schema): string {
    if (schema.format === "uuid") return uuid();
    const patterns = [schema, ...(schema.allOf ?? [])].flatMap(({ pattern }) => pattern ?? []);
    const fits = (sample: string) => patterns.every((pattern) => new RegExp(pattern, "u").test(sample));
    const fresh = `text-${Math.floor(random() * 1e9)}`;
    const fitting = samples.filter(fits);
    return fits(fresh) || fitting.length === 0 ? fresh : pick(fitting);
  }

  function valid(schema: Schema): unknown {
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return pick(schema.enum);
    const choice = schema.anyOf ?? schema.oneOf;
    if (choice !== undefined) return valid(pick(choice));
    switch (schema.type) {
      case "object":
        return Object.fromEntries(
          Object.entries(schema.properties ?? {})
            .filter(([name]) => (schema.required ?? []).includes(name) || random() < 0.5)
            .map(([name, property]) => [name, valid(property)]),
        );
      case "array":
        return Array.from({ length: Math.max(schema.minItems ?? 0, Math.floor(random() * 3)) }, () =>
          valid(schema.items ?? {}),
        );
      case "integer":
      case "number":
        return Math.min(schema.maximum ?? 1e6, Math.max(schema.minimum ?? 0, Math.floor(random() * 1e6)));
      case "boolean":
        return random() < 0.5;
      case undefined:
      default:
        return text(schema);
    }
  }

  function nastyText(): string {
    return pick(nasties);
  }

  function nastyValue(): unknown {
    return pick<unknown>([null, true, 0, -1, 1.5, 1e300, [], {}, [null], { a: { b: [] } }, nastyText(), nastyText()]);
  }

  function wild(schema: Schema, depth = 0): unknown {
    if (random() < (depth === 0 ? 0.1 : 0.3)) return nastyValue();
    if (schema.oneOf !== undefined) return wild(pick(schema.oneOf), depth);
    if (schema.type !== "object") return random() < 0.5 ? nastyText() : valid(schema);
    const entries = Object.entries(schema.properties ?? {})
      .filter(() => random() < 0.85)
      .map(([name, property]): [string, unknown] => [name, wild(property, depth + 1)]);
    if (random() < 0.2) entries.push([pick(["extra", "__proto__", "constructor", ""]), nastyValue()]);
    return Object.fromEntries(entries);
  }

  return { random, pick, valid, wild, nastyText };
}
