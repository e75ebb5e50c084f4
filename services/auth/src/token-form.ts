import { OAuthError } from "./oauth-error.ts";

/** Parameters of a token request by name; a parameter without a value is absent (RFC 6749 §3.2). */
export type TokenForm = ReadonlyMap<string, string>;

/** @throws OAuthError `invalid_request` unless the body is a form in which no parameter is repeated */
export function parseTokenForm(contentType: string | undefined, body: string): TokenForm {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/x-www-form-urlencoded")
    throw new OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded");
  const parameters = new URLSearchParams(body);
  const form = new Map(parameters);
  if (form.size < parameters.size) throw new OAuthError("invalid_request", "a parameter is repeated");
  return new Map([...form].filter(([, value]) => value !== ""));
}

/** @throws OAuthError `invalid_request` when the parameter is absent */
export function requireParameter(form: TokenForm, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw new OAuthError("invalid_request", `the parameter ${name} is missing`);
  return value;
}
