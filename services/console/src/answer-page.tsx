import type { AppEnv } from "@vitrine/kit/http";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { PageContext } from "./page-context.ts";
import { Layout, type PageOptions } from "./views/layout.tsx";

/** Nothing inline and nothing from elsewhere: what an attacker gets into a page stays text. */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** From here on compressing is worth its time. */
const minCompressedBytes = 1_024;

/** Writes a page of somebody who is signed in. */
export async function answerPage<E extends AppEnv>(
  c: Context<E>,
  context: PageContext,
  page: PageOptions,
): Promise<Response> {
  return await answerHtml(c, <Layout context={context} page={page} />, page.status ?? 200);
}

export async function answerHtml<E extends AppEnv>(
  c: Context<E>,
  document: { toString(): string | Promise<string> },
  status: ContentfulStatusCode,
): Promise<Response> {
  const text = `<!doctype html>${await document.toString()}`;
  const headers: Record<string, string> = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": contentPolicy,
    "cache-control": "no-store",
    vary: "accept-encoding",
  };
  const plain = new TextEncoder().encode(text);
  if (plain.byteLength < minCompressedBytes || !/\bgzip\b/.test(c.req.header("accept-encoding") ?? ""))
    return c.body(plain, status, headers);
  return c.body(Bun.gzipSync(plain, { level: 4 }), status, { ...headers, "content-encoding": "gzip" });
}
