import { grantTypes, tokenError, tokenResponse, userNameTokenType } from "@vitrine/contracts/auth";
import type { TokenOptions } from "./options.ts";
import { SetupError } from "./setup-error.ts";

export interface TokenRequest extends TokenOptions {
  /** Of the gateway, without a slash at its end. */
  readonly gatewayUrl: string;
  readonly clientSecret: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

const clientId = "cli";
const timeoutMs = 10_000;

/**
 * Asks for an access token as the client `cli` (RFC 6749 §4.4), or as a person by token exchange (RFC 8693).
 *
 * @throws {SetupError} with what is wrong and what mends it
 */
export async function requestToken(request: TokenRequest): Promise<string> {
  const url = `${request.gatewayUrl}/oauth/token`;
  const answer = await post(url, request);
  const body = await readJson(answer);
  if (answer.ok) {
    const granted = tokenResponse.safeParse(body);
    if (granted.success) return granted.data.access_token;
    throw new SetupError(`${url} answered something that is no token: does Vitrine's gateway listen there?`);
  }
  const refusal = tokenError.safeParse(body);
  throw new SetupError(
    refusal.success
      ? explain(refusal.data, request)
      : `${url} answered ${answer.status}: ${answer.status === 503 ? "it is still starting, or auth is down; try again in a moment, then " : ""}read .vitrine/logs/gateway.log and .vitrine/logs/auth.log, or run \`bun run doctor\`.`,
  );
}

async function post(url: string, request: TokenRequest): Promise<Response> {
  try {
    return await request.fetch(url, {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`${clientId}:${request.clientSecret}`)}`,
        "content-type": "application/x-www-form-urlencoded",
        accept: "application/json",
      },
      body: tokenForm(request).toString(),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw new SetupError(`Nothing answers at ${url}: start it with \`bun run dev\` first.`, { cause });
  }
}

function tokenForm({ scopes, user }: TokenOptions): URLSearchParams {
  const form = new URLSearchParams(
    user === undefined
      ? { grant_type: grantTypes.clientCredentials }
      : { grant_type: grantTypes.tokenExchange, subject_token: user, subject_token_type: userNameTokenType },
  );
  if (scopes !== undefined) form.set("scope", scopes.join(" "));
  return form;
}

function explain(
  refusal: { readonly error: string; readonly error_description?: string | undefined },
  { user }: TokenOptions,
): string {
  const said =
    refusal.error_description === undefined ? refusal.error : `${refusal.error}: ${refusal.error_description}`;
  switch (refusal.error) {
    case "invalid_client":
      return `The secret of client \`${clientId}\` is not this system's (${said}): start \`bun run dev\` anew from this checkout.`;
    case "invalid_grant":
      return `There is no person named "${user ?? ""}" (${said}): register them at POST /api/auth/register, or use \`admin\`.`;
    case "invalid_scope":
      return `${user === undefined ? `The client \`${clientId}\`` : `"${user}"`} may not have these scopes (${said}): ask for fewer, or leave --scopes out for all there are.`;
    default:
      return `The token was refused (${said}): read .vitrine/logs/auth.log.`;
  }
}

async function readJson(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    return undefined;
  }
}
