import { tokenError } from "@vitrine/contracts/auth";
import { problem } from "@vitrine/contracts/problem";
import { z } from "zod";
import { auditOperations } from "./audit-operations.ts";
import { keyOperations } from "./key-operations.ts";
import { oauthOperations } from "./oauth-operations.ts";
import type { Access, Answer, Operation } from "./operation.ts";
import { peopleOperations } from "./people-operations.ts";
import { secondFactorOperations } from "./second-factor-operations.ts";
import { userOperations } from "./user-operations.ts";

export const operations: readonly Operation[] = [
  ...peopleOperations,
  ...secondFactorOperations,
  ...userOperations,
  ...auditOperations,
  ...keyOperations,
  ...oauthOperations,
];

interface Content {
  readonly [mediaType: string]: { readonly schema: unknown };
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
}

interface ResponseObject {
  readonly description: string;
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, unknown>>;
}

export interface OperationObject {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The OpenAPI 3.1 document of this service, from the schemas its routes validate by. */
export function buildDocument(issuer: string): OpenApiDocument {
  const paths: Record<string, Record<string, OperationObject>> = {};
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method] = describe(operation);
  return {
    openapi: "3.1.0",
    info: {
      title: "Vitrine auth",
      version: "1",
      description: "People, sessions, OAuth clients, ingest keys and the keys that sign tokens.",
    },
    servers: [{ url: issuer }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "at+jwt" },
        client: { type: "http", scheme: "basic", description: "Or client_secret_post, or private_key_jwt." },
        cookie: { type: "apiKey", in: "cookie", name: "__Host-vitrine_session" },
      },
      schemas: { Problem: toSchema(problem, "output"), OAuthError: toSchema(tokenError, "output") },
    },
  };
}

function describe(operation: Operation): OperationObject {
  const { method, path, tag, summary, access, params, query, json, form, answers } = operation;
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
    parameters: [...toParameters(params, "path"), ...toParameters(query, "query")],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [mediaType]: { schema: toSchema(body, "input") } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, toResponse(answer)])),
      ...Object.fromEntries(refusalsOf(operation).map((status) => [status, toRefusal(status, access)])),
    },
  };
}

/** What follows from access and input, and 503: the service starts, or its database is away. */
function refusalsOf({ access, params, query, json, form, refusals = [] }: Operation): readonly number[] {
  const statuses = new Set([...refusals, 503]);
  if (json !== undefined || form !== undefined) statuses.add(413);
  if ([params, query, json, form].some((part) => part !== undefined)) statuses.add(400);
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
  429: "Too many attempts; Retry-After says when to come back.",
  503: "The service cannot answer right now; Retry-After says when to come back.",
};

function toRefusal(status: number, access: Access): ResponseObject {
  const problems = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  const oauth = { "application/json": { schema: { $ref: "#/components/schemas/OAuthError" } } };
  // While it starts, the service answers every route in its own way.
  const content = access.by === "client" ? { ...oauth, ...(status === 503 ? problems : {}) } : problems;
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
