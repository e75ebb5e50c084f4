import type { Scope } from "@vitrine/contracts/scopes";
import type { z } from "zod";

/**
 * Who may call: anybody, a bearer token (with one of `scopes` where some are named), an OAuth client that authenticates
 * itself, or a browser by its session cookie.
 */
export type Access =
  | { readonly by: "anybody" }
  | { readonly by: "token"; readonly scopes?: readonly Scope[] }
  | { readonly by: "client" }
  | { readonly by: "cookie" }
  | { readonly by: "cookie_or_token" };

export interface Answer {
  readonly description: string;
  readonly body?: z.ZodType;
  /** Default `application/json`. */
  readonly mediaType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One route as its callers see it, by the schemas its handler validates with; a test holds the list of them against the
 * routes there are.
 */
export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With parameters in braces. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Access;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly json?: z.ZodType;
  readonly form?: z.ZodObject;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of refusals beside those that follow from the access and the input. */
  readonly refusals?: readonly number[];
}
