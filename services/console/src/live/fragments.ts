import { createHash } from "node:crypto";
import type { Child } from "hono/jsx";

/** A part of a page that is asked for on its own, so that one slow source keeps nothing else waiting. */
export interface Fragment {
  /** Of the element it fills; unique within the page. */
  readonly id: string;
  /** What it waits for, told while it does. */
  readonly waitsFor: string;
  readonly load: () => Promise<Child>;
}

export interface Painted {
  readonly html: string;
  /** Of the html: the same hash is the same content, and need not be sent. */
  readonly hash: string;
}

export type Painter = (fragment: Fragment) => Promise<Painted>;

/** @param failed what stands in the place of a fragment that threw, which is a bug of ours */
export function createPainter(failed: (fragment: Fragment, error: unknown) => Child): Painter {
  return async (fragment) => {
    const html = await toHtml(await fragment.load().catch((error: unknown) => failed(fragment, error)));
    return { html, hash: createHash("sha256").update(html).digest("base64url").slice(0, 12) };
  };
}

/** Writes an element, or several. */
export async function toHtml(child: Child): Promise<string> {
  if (Array.isArray(child)) return (await Promise.all(child.map(toHtml))).join("");
  if (child === null || child === undefined || typeof child === "boolean") return "";
  // A bare text is data, and only elements know how to write themselves.
  if (typeof child === "string" && !("isEscaped" in Object(child))) return Bun.escapeHTML(child);
  return await (child as { toString(): string | Promise<string> }).toString();
}

/** Paints what can be within the time; what is not there then is absent, and comes over the live stream. */
export async function paintWithin(
  paint: Painter,
  fragments: readonly Fragment[],
  withinMs: number,
): Promise<ReadonlyMap<string, Painted>> {
  const done = new Map<string, Painted>();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, withinMs);
  const all = Promise.allSettled(
    fragments.map(async (fragment) => {
      done.set(fragment.id, await paint(fragment));
    }),
  );
  await Promise.race([all, over]);
  clearTimeout(timer);
  return new Map(done);
}
