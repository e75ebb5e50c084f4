import { parseRequestId } from "@vitrine/kit/context";
import type { Child } from "hono/jsx";

/** Leads to the page of a request, where the id can be one. */
export function RequestLink({ id, children }: { readonly id: string | null | undefined; readonly children?: Child }) {
  return parseRequestId(id) === undefined || id === null || id === undefined ? (
    <>{children}</>
  ) : (
    <a class="name" href={`/requests/${encodeURIComponent(id)}`}>
      {children}
    </a>
  );
}
