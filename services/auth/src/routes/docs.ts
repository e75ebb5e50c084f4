import type { AppEnv } from "@vitrine/kit/http";
import { Hono } from "hono";
import { buildDocument } from "../openapi/document.ts";
import { pagePolicy, renderPage } from "../openapi/page.ts";

export interface DocsRouteDeps {
  readonly issuer: string;
}

const cacheControl = "public, max-age=300";

export function docsRoutes({ issuer }: DocsRouteDeps) {
  const document = buildDocument(issuer);
  const page = renderPage(document);
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
