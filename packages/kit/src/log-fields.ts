/** Names whose values never reach a line, in any case and at any depth, whatever stands before them. */
const secretName = /(?:authorization|cookie|passw(?:or)?d|secret|token|api[_-]?key|private[_-]?key|^otp)$/i;

/** Names seen before, which are few: to ask the pattern costs more than the rest of a field. */
const known = new Map<string, boolean>();
const maxKnown = 1_000;

function isSecret(name: string): boolean {
  let secret = known.get(name);
  if (secret === undefined) {
    secret = secretName.test(name);
    if (known.size < maxKnown) known.set(name, secret);
  }
  return secret;
}

const maxDepth = 6;
const maxEntries = 100;
/** Characters: Loki refuses a record whose attributes pass 64 KB, for good. */
const maxText = 8_192;
const maxCauses = 5;

/**
 * A copy of `value` that JSON can hold and a log may keep: secrets replaced, texts and depth bounded, nothing that
 * throws when it is read. What a log line is given must never be what breaks the request.
 */
export function toPlain(value: unknown, ancestors: readonly object[] = []): unknown {
  switch (typeof value) {
    case "string":
      return bounded(value);
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "bigint":
    case "symbol":
      return String(value);
    case "function":
      return "[function]";
    case "object":
      break;
  }
  if (value === null) return null;
  if (ancestors.includes(value)) return "[circular]";
  if (ancestors.length >= maxDepth) return "[too deep]";
  try {
    return toPlainObject(value, [...ancestors, value]);
  } catch {
    return "[unreadable]";
  }
}

function toPlainObject(value: object, ancestors: readonly object[]): unknown {
  if (value instanceof Error) return toPlainError(value);
  if ("toJSON" in value && typeof value.toJSON === "function") return toPlain(value.toJSON(), ancestors);
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((entry) => toPlain(entry, ancestors));
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value).slice(0, maxEntries)) {
    const plain = isSecret(name)
      ? "[redacted]"
      : toPlain((value as Readonly<Record<string, unknown>>)[name], ancestors);
    // Assigning to this one name would set the prototype instead.
    if (name === "__proto__") Object.defineProperty(copy, name, { value: plain, enumerable: true });
    else copy[name] = plain;
  }
  return copy;
}

export interface PlainError {
  readonly type: string;
  readonly message: string;
  /** Of the error and of what caused it. */
  readonly stack: string;
  readonly code?: string;
}

/**
 * The four things worth keeping of an error. Its other properties stay out: libraries hang requests, rows and
 * credentials on their errors.
 */
export function toPlainError(thrown: unknown): PlainError {
  try {
    if (!(thrown instanceof Error))
      return { type: typeof thrown, message: JSON.stringify(toPlain(thrown)) ?? "", stack: "" };
    return {
      type: thrown.name,
      message: bounded(thrown.message),
      stack: bounded(stackOf(thrown)),
      ...("code" in thrown && typeof thrown.code === "string" ? { code: thrown.code } : {}),
    };
  } catch {
    return { type: "Error", message: "[unreadable]", stack: "" };
  }
}

function stackOf(error: Error): string {
  const stacks: string[] = [];
  for (let current: unknown = error; current instanceof Error && stacks.length < maxCauses; current = current.cause) {
    stacks.push(current.stack ?? `${current.name}: ${current.message}`);
  }
  return stacks.join("\ncaused by: ");
}

function bounded(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}… (${text.length} characters)` : text;
}
