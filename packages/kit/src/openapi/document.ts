import { tokenError } from "@vitrine/contracts/auth";
import { problem } from "@vitrine/contracts/problem";
import { z } from "zod";
import type { Access, Answer, Operation } from "./operation.ts";

interface Content {
  readonly [mediaType: string]: { readonly schema: unknown };
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
}

interface ResponseObject {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** An operation as OpenAPI has it. */
export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

/** A document as OpenAPI 3.1 has it, as far as ours go. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface DocumentOptions {
  /** Path under which the document itself is served, such as `/api/orders`. */
  readonly base: string;
  readonly title: string;
  readonly description: string;
  /** Public address callers use. */
  readonly url: string;
  readonly operations: readonly Operation[];
}

/** The OpenAPI 3.1 document of a service, from the schemas its routes validate by. */
export function buildDocument({ base, title, description, url, ...own }: DocumentOptions): OpenApiDocument {
  const operations = [...own.operations, ...docsOperations(base)];
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method] = describe(operation);
  const used = new Set(operations.flatMap(({ access }) => toSecurity(access).flatMap((need) => Object.keys(need))));
  return {
    openapi: "3.1.0",
    info: { title, version: "1", description },
    servers: [{ url }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: Object.fromEntries(Object.entries(securitySchemes).filter(([name]) => used.has(name))),
      schemas: {
        Problem: toSchema(problem, "output"),
        ...(used.has("client") ? { OAuthError: toSchema(tokenError, "output") } : {}),
      },
    },
  };
}

function docsOperations(base: string): readonly Operation[] {
  const common = { method: "get", tag: "Description", access: { by: "anybody" } } as const;
  const document = { description: "An OpenAPI 3.1 document.", body: z.looseObject({ openapi: z.string() }) };
  const page = { description: "A page.", body: z.string(), mediaType: "text/html" };
  return [
    { ...common, path: `${base}/openapi.json`, summary: "This description", answers: { 200: document } },
    { ...common, path: `${base}/docs`, summary: "This description as a page", answers: { 200: page } },
  ];
}

const securitySchemes = {
  bearer: { type: "http", scheme: "bearer", bearerFormat: "at+jwt" },
  client: { type: "http", scheme: "basic", description: "Or client_secret_post, or private_key_jwt." },
  cookie: { type: "apiKey", in: "cookie", name: "__Host-vitrine_session" },
} as const;

function describe(operation: Operation): OperationObject {
  const { method, path, tag, summary, access, params, query, headers, json, form, answers } = operation;
  const body = json ?? form;
  const mediaType = json === undefined ? "application/x-www-form-urlencoded" : "application/json";
  return {
    operationId:
      `${method}${path.replaceAll(/[^A-Za-z0-9]+(.)/g, (_, letter: string) => letter.toUpperCase())}`.replaceAll(
        /[^A-Za-z0-9]/g,
        "",
      ),
    tags: [tag],
    summary,
    security: toSecurity(access),
    parameters: [...toParameters(params, "path"), ...toParameters(query, "query"), ...toParameters(headers, "header")],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [mediaType]: { schema: toSchema(body, "input") } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, toResponse(answer)])),
      ...Object.fromEntries(refusalsOf(operation).map((status) => [status, toRefusal(status, access)])),
    },
  };
}

/**
 * What follows from access and input, and what can happen to any request: the gateway's quota is used up (429), the
 * service starts or its database is away (503).
 */
function refusalsOf({ access, params, query, headers, json, form, refusals = [] }: Operation): readonly number[] {
  const statuses = new Set([...refusals, 429, 503]);
  if (json !== undefined || form !== undefined) statuses.add(413);
  if ([params, query, headers, json, form].some((part) => part !== undefined)) statuses.add(400);
  if (access.by !== "anybody") statuses.add(401);
  if (access.by === "cookie" || access.by === "cookie_or_token") statuses.add(403);
  if (access.by === "token" && access.scopes !== undefined) statuses.add(403);
  return [...statuses].toSorted((a, b) => a - b);
}

const refusalTexts: Readonly<Record<number, string>> = {
  400: "The request is not valid.",
  401: "The proof of identity is missing, or no good.",
  403: "The proof of identity is good, and not enough.",
  404: "There is no such thing.",
  409: "It does not go with what there is.",
  413: "The body is too large.",
  422: "The idempotency key was used for another request.",
  429: "Too many requests or attempts; Retry-After says when to come back.",
  503: "The service cannot answer right now; Retry-After says when to come back.",
};

/** Refused before the route is reached, by the gateway or by a service that starts: in the form of every other route. */
const general: ReadonlySet<number> = new Set([413, 429, 503]);

function toRefusal(status: number, access: Access): ResponseObject {
  const problems = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  const oauth = { "application/json": { schema: { $ref: "#/components/schemas/OAuthError" } } };
  const content = access.by === "client" ? { ...oauth, ...(general.has(status) ? problems : {}) } : problems;
  return { description: refusalTexts[status] ?? "Refused.", content };
}

function toResponse({ description, body, mediaType = "application/json", headers }: Answer): ResponseObject {
  return {
    description,
    ...(body === undefined ? {} : { content: { [mediaType]: { schema: toSchema(body, "output") } } }),
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: "string" } }]),
          ),
        }),
  };
}

function toSecurity(access: Access): OperationObject["security"] {
  switch (access.by) {
    case "anybody":
      return [];
    case "token":
      return [{ bearer: access.scopes ?? [] }];
    case "client":
      return [{ client: [] }];
    case "cookie":
      return [{ cookie: [] }];
    case "cookie_or_token":
      return [{ cookie: [] }, { bearer: [] }];
  }
}

function toParameters(schema: z.ZodObject | undefined, where: Parameter["in"]): readonly Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = toSchema(schema, "input") as {
    readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: property,
  }));
}

/** JSON Schema 2020-12, which OpenAPI 3.1 takes as it is; the document says the dialect once. */
function toSchema(schema: z.ZodType, io: "input" | "output"): Readonly<Record<string, unknown>> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
