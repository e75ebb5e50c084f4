import type { OpenApiDocument, OperationObject } from "./document.ts";

interface Shape {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly allOf?: readonly Shape[];
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Shape | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
}

/** Documents as one page of Markdown, in the order given: what each route needs, takes and answers. */
export function renderMarkdown(documents: readonly OpenApiDocument[]): string {
  return documents.map(renderDocument).join("\n\n");
}

function renderDocument({ info, tags, paths }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return [`### ${name}`, ...own.map(renderOperation)].join("\n\n");
  });
  return [`## ${info.title}`, info.description, ...sections].join("\n\n");
}

interface Listed {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
}

function renderOperation({ path, method, operation }: Listed): string {
  const { summary, security, parameters, requestBody, responses } = operation;
  const lines = parameters.map(
    ({ name, in: where, required, schema }) =>
      `- ${where} \`${name}\`${required ? "" : " (optional)"}: ${inCode(toNotation(schema))}`,
  );
  for (const [mediaType, { schema }] of Object.entries(requestBody?.content ?? {}))
    lines.push(
      `- body${mediaType === "application/json" ? "" : ` as \`${mediaType}\``}: ${inCode(toNotation(schema as Shape))}`,
    );
  const refusals: string[] = [];
  for (const [status, { description, content = {} }] of Object.entries(responses)) {
    const schemas = Object.values(content).map(({ schema }) => schema as Shape);
    if (schemas.some(({ $ref }) => $ref !== undefined)) refusals.push(status);
    else {
      const shapes = schemas.map((schema) => `: ${inCode(toNotation(schema))}`).join("");
      lines.push(`- **${status}** ${shapes === "" ? description : description.replace(/\.$/, "")}${shapes}`);
    }
  }
  if (refusals.length > 0) lines.push(`- refusals: ${refusals.join(", ")}`);
  return [`#### \`${method.toUpperCase()} ${path}\``, `${summary}. ${needs(security)}`, lines.join("\n")].join("\n\n");
}

function needs(security: OperationObject["security"]): string {
  if (security.length === 0) return "Open to anybody.";
  const ways = security.flatMap((need) =>
    Object.entries(need).map(([scheme, scopes]) =>
      scopes.length === 0 ? `a ${scheme}` : scopes.map((scope) => `\`${scope}\``).join(" or "),
    ),
  );
  return `Needs ${ways.join(", or ")}.`;
}

function inCode(text: string): string {
  return `\`${text}\``;
}

/** A schema as people write types: `{ id: uuid, quantity?: 1…100 }`. */
function toNotation(schema: Shape): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.map(toNotation).join(" | ");
  const { type } = schema;
  if (typeof type !== "string" && type !== undefined)
    return type.map((one) => toNotation({ ...schema, type: one })).join(" | ");
  switch (type) {
    case "object":
      return toObject(schema);
    case "array":
      return toArray(schema.items ?? {});
    case "integer":
    case "number":
      return toRange(type, schema);
    case "string":
      return schema.format ?? "string";
    case undefined:
      return schema.allOf === undefined ? "any" : schema.allOf.map(toNotation).join(" & ");
    default:
      return type;
  }
}

function toArray(item: Shape): string {
  const isUnion = (item.enum ?? item.anyOf ?? item.oneOf) !== undefined || Array.isArray(item.type);
  return isUnion ? `(${toNotation(item)})[]` : `${toNotation(item)}[]`;
}

function toObject({ properties = {}, required = [], additionalProperties }: Shape): string {
  const fields = Object.entries(properties).map(([name, property]) => {
    const preset = property.default === undefined ? "" : ` = ${JSON.stringify(property.default)}`;
    return `${name}${required.includes(name) && preset === "" ? "" : "?"}: ${toNotation(property)}${preset}`;
  });
  if (fields.length === 0 && typeof additionalProperties === "object")
    return `{ [name]: ${toNotation(additionalProperties)} }`;
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/** Bounds that are no more than those of a number that is kept exactly are not worth a word. */
function toRange(type: string, { minimum, maximum }: Shape): string {
  const from = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const to = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (from === undefined && to === undefined) return type;
  return `${type} ${from ?? ""}…${to ?? ""}`;
}
