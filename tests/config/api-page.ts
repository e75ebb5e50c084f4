import { buildDocument } from "@vitrine/kit/openapi";
import { renderMarkdown } from "@vitrine/kit/openapi/markdown";
import { authDocument } from "../../services/auth/src/openapi/document.ts";
import { consoleDocument } from "../../services/console/src/openapi.ts";
import { generatorDocument } from "../../services/generator/src/openapi.ts";
import { inventoryDocument } from "../../services/inventory/src/openapi.ts";
import { notifierDocument } from "../../services/notifier/src/openapi.ts";
import { ordersDocument } from "../../services/orders/src/openapi.ts";

const url = "http://localhost:8080";

/** docs/api.md: the APIs for people. Made by `bun run docs:api`; a test makes it again and compares. */
export function renderApiPage(): string {
  const services = [
    authDocument,
    ordersDocument,
    inventoryDocument,
    notifierDocument,
    generatorDocument,
    consoleDocument,
  ];
  const documents = services.map((describe) => buildDocument(describe(url)));
  return `# The APIs

<!-- Made from the OpenAPI documents of the services by \`bun run docs:api\`. -->

Everything is reached through the gateway, \`${url}\` at a desk. Each service describes itself, in OpenAPI 3.1 and as
a page: \`/api/auth/docs\`, \`/api/orders/docs\`, \`/api/inventory/docs\`, \`/api/notifier/docs\`, \`/api/scenarios/docs\`,
\`/api/console/docs\`. Lists are pages: \`next\` of one is the \`cursor\` of the one after.

Every refusal is a problem (RFC 9457) with \`code\`, \`requestId\` and \`traceId\`. 400: the request is not valid, \`fields\` says
where. 401: the proof of identity is missing or no good; 403: it is not enough. 404: there is no such thing. 405: not by this
method, \`Allow\` says by which. 409: it does not go with what there is, \`code\` says why. 413: the body is too large. 422: the
idempotency key was used for another request. 429 and 503: later; \`Retry-After\` says when.

${renderMarkdown(documents)}
`;
}
