import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import type { OpenApiDocument, OperationObject } from "./document.ts";

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
article { border: 1px solid #8886; border-radius: .5rem; margin: 1rem 0; padding: .75rem 1rem }
h3 { margin: 0; font-size: 1rem } h3 code { font-size: 1rem }
.method { display: inline-block; min-width: 4rem; font-weight: 700; text-transform: uppercase }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top }
pre { overflow: auto; background: #8881; padding: .6rem; border-radius: .3rem; font-size: .85rem }
`;

/** Content-Security-Policy of the page. Nothing is loaded from anywhere and nothing runs: the page holds all it shows. */
export const pagePolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

type Html = ReturnType<typeof html>;

/**
 * The document as a page that needs nothing but itself.
 * @param href where the document itself is served
 */
export function renderPage(document: OpenApiDocument, href: string): Html {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const { title, description } = document.info;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <h1>${title}</h1>
        <p>${description} <a href="${href}">OpenAPI 3.1 document</a></p>
        ${document.tags.map(
          ({ name }) =>
            html`<h2>${name}</h2>
              ${operations.filter(({ operation }) => operation.tags.includes(name)).map(renderOperation)}`,
        )}
      </body>
    </html>`;
}

interface Listed {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationObject;
}

function renderOperation({ path, method, operation }: Listed): Html {
  const { operationId, summary, security, parameters, requestBody, responses } = operation;
  const request = Object.entries(requestBody?.content ?? {});
  return html`<article id="${operationId}">
    <h3><span class="method">${method}</span> <code>${path}</code></h3>
    <p>
      ${summary}<br /><small
        >${security.length === 0 ? "Open to anybody." : `Needs ${security.map(renderNeed).join(" or ")}.`}</small
      >
    </p>
    ${parameters.map(
      ({ name, in: where, required, schema }) =>
        html`<div>
          <code>${name}</code> <small>${where}${required ? ", required" : ""}</small> ${renderSchema(schema)}
        </div>`,
    )}
    ${request.map(
      ([mediaType, { schema }]) =>
        html`<details>
          <summary>Body: ${mediaType}</summary>
          ${renderSchema(schema)}
        </details>`,
    )}
    <table>
      ${Object.entries(responses).map(
        ([status, { description, content = {} }]) =>
          html`<tr>
            <th>${status}</th>
            <td>
              ${description}
              ${Object.entries(content).map(
                ([mediaType, { schema }]) =>
                  html`<details>
                    <summary>${mediaType}</summary>
                    ${renderSchema(schema)}
                  </details>`,
              )}
            </td>
          </tr>`,
      )}
    </table>
  </article>`;
}

function renderNeed(need: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(need)
    .map(([scheme, scopes]) => (scopes.length === 0 ? scheme : `${scheme} with ${scopes.join(" or ")}`))
    .join(" and ");
}

function renderSchema(schema: unknown): Html {
  return html`<pre>${JSON.stringify(schema, null, 2)}</pre>`;
}
