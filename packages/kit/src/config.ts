import { readFileSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { z } from "zod";

export type Env = Readonly<Record<string, string | undefined>>;

/** The environment does not make a valid configuration; `faults` names every variable that is wrong. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}

type Shape = Readonly<Record<string, z.ZodType>>;

/**
 * Reads the listed variables and returns them parsed. An empty variable counts as unset. A {@link secret} named `X`
 * may instead be given as a file by `X_FILE`; both at once is a fault.
 *
 * @throws ConfigError naming every fault at once
 */
export function parseEnv<S extends Shape>(env: Env, shape: S): { readonly [K in keyof S]: z.output<S[K]> } {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const known = faults.length;
    const text = readVariable(env, name, schema, faults);
    if (faults.length > known) continue;
    const parsed = schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else
      faults.push(
        `${name}: ${text === undefined ? "is not set" : parsed.error.issues.map((issue) => issue.message).join("; ")}`,
      );
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(values) as { readonly [K in keyof S]: z.output<S[K]> };
}

const secrets = z.registry<{ readonly secret: true }>();

function readVariable(env: Env, name: string, schema: z.ZodType, faults: string[]): string | undefined {
  const value = env[name] || undefined;
  const path = secrets.has(schema) ? env[`${name}_FILE`] || undefined : undefined;
  if (path === undefined) return value;
  if (value !== undefined) {
    faults.push(`${name}: set ${name} or ${name}_FILE, not both`);
    return undefined;
  }
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch (error) {
    faults.push(`${name}_FILE: cannot read ${path} (${error instanceof Error ? error.message : "unknown error"})`);
    return undefined;
  }
}

export function text(fallback?: string) {
  return fallback === undefined ? z.string() : z.string().default(fallback);
}

/** A secret has no default and may come from a file named by `<NAME>_FILE`. */
export function secret() {
  return z.string().min(8, "must have at least 8 characters").register(secrets, { secret: true });
}

/** Makes a schema of the caller's own a secret, so that its value may come from a file named by `<NAME>_FILE`. */
export function secretOf<S extends z.ZodType>(schema: S): S {
  secrets.add(schema, { secret: true });
  return schema;
}

export function optionalSecret() {
  return secret().optional().register(secrets, { secret: true });
}

export function url(fallback?: string) {
  const schema = z.url({
    protocol: /^https?$/,
    message: "must be an http or https URL",
  });
  return fallback === undefined ? schema : schema.default(fallback);
}

/** A secret of 32 bytes as base64url, such as what encrypts at rest (`@vitrine/kit/seal`). */
export function encryptionKey() {
  return secretOf(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes as base64url, 43 characters")
      .transform((value): Uint8Array => Buffer.from(value, "base64url")),
  );
}

/** Addresses and networks such as `10.0.0.0/8`, separated by commas. */
export function networks(fallback: string) {
  return z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const list = new BlockList();
      const parts = text.split(",").map((entry) => entry.trim());
      for (const part of parts.filter((entry) => entry !== "")) {
        const [address = "", prefix, more] = part.split("/");
        const family = isIP(address) === 6 ? "ipv6" : "ipv4";
        const bits = prefix === undefined ? undefined : Number(prefix);
        const valid = isIP(address) !== 0 && more === undefined && /^\d{1,3}$/.test(prefix ?? "0");
        if (!valid || (bits ?? 0) > (family === "ipv6" ? 128 : 32))
          context.addIssue({ code: "custom", message: `"${part}" is no address and no network` });
        else if (bits === undefined) list.addAddress(address, family);
        else list.addSubnet(address, bits, family);
      }
      return list;
    });
}

/** A decimal integer within `min` and `max`, both included; the unit belongs in the variable's name. */
export function integer(limits: { readonly min: number; readonly max: number; readonly fallback?: number }) {
  const message = `must be a whole number from ${limits.min} to ${limits.max}`;
  const schema = z
    .string()
    .regex(/^-?\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.int(message).min(limits.min, message).max(limits.max, message));
  return limits.fallback === undefined ? schema : schema.default(limits.fallback);
}

export function port(fallback?: number) {
  return integer(fallback === undefined ? { min: 0, max: 65_535 } : { min: 0, max: 65_535, fallback });
}

/** `on`/`off`, `true`/`false`, `1`/`0`, `yes`/`no`. */
export function flag(fallback: boolean) {
  return z.stringbool({ error: "must be on or off" }).default(fallback);
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) {
  return z.enum(values, { error: `must be one of ${values.join(", ")}` }).default(fallback as never);
}

/** The variables every service reads. */
export const baseShape = {
  HOST: text("127.0.0.1"),
  LOG_LEVEL: oneOf(["trace", "debug", "info", "warn", "error", "fatal"], "info"),
  LOG_SINK: oneOf(["otlp", "loki", "none"], "otlp"),
  LOKI_PUSH_URL: url("http://127.0.0.1:8080"),
  LOKI_PUSH_TOKEN: optionalSecret(),
} as const;

export interface BaseConfig {
  readonly http: { readonly host: string; readonly port: number };
  readonly log: LogConfig;
}

export interface LogConfig {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
  /** Where lines go beside stdout: `otlp` through the SDK, `loki` by pino-loki through the gateway, or nowhere. */
  readonly sink: "otlp" | "loki" | "none";
  readonly loki?: { readonly url: string; readonly token: string };
}

/** Groups what {@link baseShape} read; `PORT` is each service's own, since its default is. */
export function toBaseConfig(values: {
  readonly HOST: string;
  readonly PORT: number;
  readonly LOG_LEVEL: LogConfig["level"];
  readonly LOG_SINK: LogConfig["sink"];
  readonly LOKI_PUSH_URL: string;
  readonly LOKI_PUSH_TOKEN: string | undefined;
}): BaseConfig {
  if (values.LOG_SINK === "loki" && values.LOKI_PUSH_TOKEN === undefined) {
    throw new ConfigError([
      "LOKI_PUSH_TOKEN: is not set, and LOG_SINK=loki needs it (an ingest key or token with logs:write)",
    ]);
  }
  return {
    http: { host: values.HOST, port: values.PORT },
    log: {
      level: values.LOG_LEVEL,
      sink: values.LOG_SINK,
      ...(values.LOKI_PUSH_TOKEN === undefined
        ? {}
        : { loki: { url: values.LOKI_PUSH_URL, token: values.LOKI_PUSH_TOKEN } }),
    },
  };
}

/** What a service needs to verify tokens and to get its own; see {@link toTokenConfig}. */
export const tokenShape = {
  AUTH_URL: url("http://127.0.0.1:8081"),
  TOKEN_ISSUER: url("http://localhost:8080"),
  TOKEN_AUDIENCE: text("vitrine"),
} as const;

/** Whether faults can be injected: for machines where nothing is lost by it. */
export const faultShape = {
  FAULT_INJECTION: flag(false),
} as const;

export const clientShape = {
  CLIENT_ID: text(),
  CLIENT_SECRET: secret(),
} as const;

export interface TokenConfig {
  readonly jwksUrl: string;
  readonly tokenUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

export function toTokenConfig(values: {
  readonly AUTH_URL: string;
  readonly TOKEN_ISSUER: string;
  readonly TOKEN_AUDIENCE: string;
}): TokenConfig {
  return {
    jwksUrl: new URL("/.well-known/jwks.json", values.AUTH_URL).href,
    tokenUrl: new URL("/oauth/token", values.AUTH_URL).href,
    issuer: values.TOKEN_ISSUER,
    audience: values.TOKEN_AUDIENCE,
  };
}
