import type { Reply } from "../idempotent.ts";

export function answer({ status, body, location }: Reply): Response {
  return Response.json(body, { status, ...(location === undefined ? {} : { headers: { location } }) });
}
