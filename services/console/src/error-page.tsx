import type { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import type { Context } from "hono";
import { answerHtml } from "./answer-page.tsx";
import type { Deps } from "./deps.ts";
import { Document } from "./views/layout.tsx";

/** Whether a browser opens this as a page, and so wants to read and not to parse. */
export function wantsPage(c: Context<AppEnv>): boolean {
  const get = c.req.method === "GET" || c.req.method === "HEAD";
  return get && !c.req.path.startsWith("/api/") && (c.req.header("accept") ?? "").includes("text/html");
}

/** An error as a page. It says what its problem document says, and leads to what is known of the request. */
export async function answerErrorPage(c: Context<AppEnv>, deps: Deps, error: ServiceError): Promise<Response> {
  const requestId = c.get("requestId") ?? "";
  const document = (
    <Document title={error.title} context={{ deps }} scripts={[]}>
      <main class="door" id="content">
        <p class="brand large">Vitrine</p>
        <p class="motto">{String(error.status)}</p>
        <h1>{error.title}</h1>
        {error.detail === undefined ? null : <p>{error.detail}</p>}
        <p class="small">
          Request <a href={`/requests/${encodeURIComponent(requestId)}`}>{requestId}</a>
        </p>
        <p>
          <a href="/">To the overview</a>
        </p>
      </main>
    </Document>
  );
  const response = await answerHtml(c, document, error.status);
  for (const [name, value] of Object.entries(error.headers)) response.headers.set(name, value);
  return response;
}
