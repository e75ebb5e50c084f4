import type { AccessClaims } from "@vitrine/contracts/auth";
import { user } from "@vitrine/contracts/auth";
import type { Role, Scope } from "@vitrine/contracts/scopes";
import type { AppEnv } from "@vitrine/kit/http";
import { bearerToken, hasScope } from "@vitrine/kit/http/auth";
import type { Context } from "hono";
import type { Deps } from "./deps.ts";
import { type Ask, createAsk } from "./engines/ask.ts";
import { createEngines, type Engines } from "./engines/engines.ts";

/** Who looks at a page. */
export interface Person {
  readonly id: string;
  /** Their id, as long as auth does not tell the name. */
  readonly name: string;
  readonly role: Role | undefined;
  may(scope: Scope): boolean;
}

/** What a page is made with: nothing in it outlives the request, and everything is asked with the person's own token. */
export interface PageContext {
  readonly deps: Deps;
  readonly path: string;
  readonly person: Person;
  readonly ask: Ask;
  readonly engines: Engines;
}

export type SignedInEnv = AppEnv & { Variables: { claims: AccessClaims } };

/** Milliseconds any one question may take; a page is drawn before that, and gets the answer when it comes. */
const questionTimeoutMs = 10_000;

export function createPageContext(
  deps: Deps,
  names: PersonNames,
): (c: Context<SignedInEnv>, signal?: AbortSignal) => Promise<PageContext> {
  return async (c, signal) => {
    const { claims } = c.var;
    const token = bearerToken(c.req.header("authorization"));
    const ask = createAsk({
      gatewayUrl: deps.gatewayUrl,
      token,
      timeoutMs: questionTimeoutMs,
      signal: signal ?? c.req.raw.signal,
    });
    const person: Person = {
      id: claims.sub,
      // A client has no name but its own, and auth would not tell another.
      name: claims.role === undefined ? claims.client_id : await names.nameOf(claims.sub, ask),
      role: claims.role,
      may: (scope) => hasScope(claims, scope),
    };
    return { deps, path: c.req.path, person, ask, engines: createEngines(ask) };
  };
}

export interface PersonNames {
  nameOf(id: string, ask: Ask): Promise<string>;
}

const keepNamesMs = 300_000;
const maxNames = 10_000;
const nameTimeoutMs = 500;

/** Names hardly ever change: asked of auth once in a while, and not at all of one that is slow. */
export function createPersonNames(now: () => number): PersonNames {
  const known = new Map<string, { readonly name: string; readonly untilMs: number }>();
  return {
    nameOf: async (id, ask) => {
      const held = known.get(id);
      if (held !== undefined && now() < held.untilMs) return held.name;
      const answer = await ask({ source: "auth", path: "/api/auth/me", answer: user, timeoutMs: nameTimeoutMs });
      if (!answer.ok) return held?.name ?? id;
      if (known.size >= maxNames) known.clear();
      known.set(id, { name: answer.value.name, untilMs: now() + keepNamesMs });
      return answer.value.name;
    },
  };
}
