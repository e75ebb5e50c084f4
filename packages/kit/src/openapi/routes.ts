import { Hono } from "hono";
import type { AppEnv } from "../http/env.ts";
import { buildDocument, type DocumentOptions } from "./document.ts";
import { pagePolicy, renderPage } from "./page.ts";

const cacheControl = "public, max-age=300";

/** `GET /openapi.json` and `GET /docs`, a page of the same, both open to anybody; to be mounted at `options.base`. */
export function docsRoutes(options: DocumentOptions) {
  const document = buildDocument(options);
  const page = renderPage(document, `${options.base}/openapi.json`);
  return new Hono<AppEnv>()
    .get("/openapi.json", (c) => c.json(document, 200, { "cache-control": cacheControl }))
    .get("/docs", (c) =>
      c.html(page, 200, {
        "cache-control": cacheControl,
        "content-security-policy": pagePolicy,
        "x-content-type-options": "nosniff",
      }),
    );
}
