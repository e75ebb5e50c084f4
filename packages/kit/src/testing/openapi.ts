import { z } from "zod";
import type { OpenApiDocument, OperationObject } from "../openapi/document.ts";
import type { Fuzz, Schema } from "./fuzz.ts";

/** One operation of a document. */
export interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: OperationObject;
}

/** Every operation under its name, such as `GET /api/orders/{id}`: rows for `test.each`. */
export function listOperations(document: OpenApiDocument): readonly (readonly [name: string, one: Listed])[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const one = { method: method.toUpperCase(), path, operation };
      return [`${one.method} ${path}`, one] as const;
    }),
  );
}

/** The routes of an app as a document names them: those of the kit itself left out, sorted. */
export function listRoutes(app: {
  readonly routes: readonly { readonly method: string; readonly path: string }[];
}): readonly string[] {
  const own = app.routes.filter(
    ({ method, path }) => method !== "ALL" && !path.startsWith("/health/") && path !== "/metrics",
  );
  const names = own.map(
    ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}").replace(/(?<=.)(\/|\/\*)$/, "")}`,
  );
  return [...new Set(names)].toSorted();
}

/**
 * Holds an answer against the document: below 500, a documented status, media type and schema, and a request id.
 * @returns what is wrong with it, or `undefined`
 */
export async function judgeAnswer(
  document: OpenApiDocument,
  { operation, path, method }: Listed,
  response: Response,
): Promise<string | undefined> {
  const text = await response.text();
  const wrong = (what: string) => `${method} ${path} answered ${response.status}${what}: ${text}`;
  if (response.status >= 500) return wrong("");
  const described = operation.responses[String(response.status)];
  if (described === undefined) return wrong(", which is not documented");
  if (!response.headers.has("x-request-id")) return wrong(" without a request id");
  if (described.content === undefined) return text === "" ? undefined : wrong(" with a body");
  const mediaType = response.headers.get("content-type")?.split(";")[0] ?? "";
  const schema = described.content[mediaType]?.schema;
  if (schema === undefined) return wrong(` as ${mediaType}`);
  const body: unknown = mediaType.endsWith("json") ? JSON.parse(text) : text;
  const resolved = schemaAt(document, schema as Reference) as Parameters<typeof z.fromJSONSchema>[0];
  const { error } = z.fromJSONSchema(resolved).safeParse(body);
  return error === undefined ? undefined : wrong(`, and ${error.message}`);
}

type Reference = Schema & { readonly $ref?: string };

function schemaAt(document: OpenApiDocument, schema: Reference): Schema {
  if (schema.$ref === undefined) return schema;
  const [kind = "", name = ""] = schema.$ref.split("/").slice(-2);
  return document.components[kind]?.[name] as Schema;
}

export interface RequestForm {
  /** Whether to keep to the schemas or to leave them. */
  readonly fit: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Query parameters never to send. */
  readonly without?: readonly string[];
  /** Values instead of made ones, by the name of a path parameter. */
  readonly params?: Readonly<Record<string, string>>;
  /** The last word on a form or JSON body that is an object. */
  readonly amend?: (body: Record<string, unknown>) => void;
}

/** A request of an operation, made from its schemas. */
export function makeRequest({ method, path, operation }: Listed, fuzz: Fuzz, form: RequestForm): Request {
  const { fit } = form;
  const make = (schema: unknown) => (fit ? fuzz.valid(schema as Schema) : fuzz.wild(schema as Schema));
  const headers = new Headers(form.headers);
  const query = new URLSearchParams();
  let target = path;
  for (const { name, in: where, required, schema } of operation.parameters) {
    if (!required && (fuzz.random() < 0.5 || form.without?.includes(name) === true)) continue;
    const value = String((where === "path" ? form.params?.[name] : undefined) ?? make(schema)).toWellFormed();
    if (where === "path") target = target.replace(`{${name}}`, () => encodeURIComponent(value) || "x");
    else if (where === "query") query.append(name, value);
    else if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) headers.set(name, value);
  }
  if (!fit && fuzz.random() < 0.2) query.append(fuzz.pick(["cursor", "limit", "access_token", "x"]), fuzz.nastyText());
  const init: RequestInit = { method, headers };
  const [mediaType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (mediaType !== undefined && content !== undefined) {
    const kept = fit || fuzz.random() < 0.9;
    headers.set("content-type", kept ? mediaType : fuzz.pick(["text/plain", "application/xml", "a/b;c"]));
    const body = make(content.schema);
    if (isRecord(body)) form.amend?.(body);
    const broken = !fit && fuzz.random() < 0.1;
    init.body = broken ? fuzz.pick(["", "{", "[]", '"', "a=1&a=2", "%", "\u0000"]) : encode(mediaType, body);
  }
  return new Request(`http://service.test${target}${query.size === 0 ? "" : `?${query.toString()}`}`, init);
}

function encode(mediaType: string, value: unknown): string {
  if (mediaType === "application/json") return JSON.stringify(value);
  const entries = isRecord(value) ? Object.entries(value) : [];
  return new URLSearchParams(
    entries.map(([name, item]) => [name.toWellFormed(), String(item).toWellFormed()]),
  ).toString();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
