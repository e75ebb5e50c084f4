import { clientAssertionType } from "@vitrine/contracts/auth";
import type { Audit } from "./audit.ts";
import type { Caller } from "./caller.ts";
import { type ClientAssertions, readAssertionSubject } from "./client-assertions.ts";
import { isSecretOf } from "./client-secrets.ts";
import type { Defence } from "./defence.ts";
import type { AuthEvents, GrantMethod } from "./events.ts";
import { OAuthError } from "./oauth-error.ts";
import type { Client, ClientStore } from "./store/clients.ts";
import { requireParameter, type TokenForm } from "./token-form.ts";

interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A refusal that knows which client it was, for events; the caller is not told. */
class UnknownClientError extends OAuthError {
  readonly clientId: string | undefined;

  constructor(clientId?: string) {
    super("invalid_client", "the client is not known or its secret is wrong");
    this.clientId = clientId;
  }
}

export interface ClientAuthenticationDeps {
  readonly clients: ClientStore;
  readonly assertions: ClientAssertions;
  readonly events: AuthEvents;
  readonly audit: Audit;
  readonly defence: Defence;
}

/**
 * Requires a client that proves itself; one that does not is counted and stored, and slowed down by its address.
 * @throws OAuthError `invalid_client`, `invalid_request`; ThrottledError
 */
export async function requireClient(
  deps: ClientAuthenticationDeps,
  authorization: string | undefined,
  form: TokenForm,
  caller: Caller,
  method: GrantMethod = "client_credentials",
): Promise<Client> {
  try {
    return await authenticateClient(deps, authorization, form);
  } catch (error) {
    if (!(error instanceof UnknownClientError)) throw error;
    const { clientId } = error;
    await deps.defence.guessed(caller, method);
    deps.events.tokenRefused(method, "invalid_credentials");
    const failure = { event: "authn_login_fail", outcome: "failure", action: method } as const;
    await deps.audit.record(caller, { ...failure, reason: "invalid_credentials", actor: clientId, client: clientId });
    throw error;
  }
}

type Proofs = Pick<ClientAuthenticationDeps, "clients" | "assertions">;

/**
 * Authenticates a client by `client_secret_basic`, `client_secret_post` (RFC 6749 §2.3.1) or `private_key_jwt`
 * (RFC 7523 §2.2).
 * @throws OAuthError `invalid_client`, the same for an unknown client and a wrong proof; `invalid_request` when more
 * than one way is used at once
 */
async function authenticateClient(
  { clients, assertions }: Proofs,
  authorization: string | undefined,
  form: TokenForm,
): Promise<Client> {
  if (form.has("client_assertion") || form.has("client_assertion_type"))
    return await authenticateByAssertion({ clients, assertions }, authorization, form);
  const { clientId, clientSecret } = readCredentials(authorization, form);
  const client = await clients.find(clientId);
  if (isSecretOf(client?.secretHash, clientSecret) && client !== undefined) return client;
  throw new UnknownClientError(client?.clientId);
}

async function authenticateByAssertion(
  { clients, assertions }: Proofs,
  authorization: string | undefined,
  form: TokenForm,
): Promise<Client> {
  if (authorization !== undefined || form.has("client_secret"))
    throw new OAuthError("invalid_request", "the client authenticates in more than one way, use one");
  if (requireParameter(form, "client_assertion_type") !== clientAssertionType)
    throw new OAuthError("invalid_request", `the client_assertion_type must be ${clientAssertionType}`);
  const assertion = requireParameter(form, "client_assertion");
  const clientId = readAssertionSubject(assertion);
  if (clientId === undefined) throw new UnknownClientError();
  if ((form.get("client_id") ?? clientId) !== clientId)
    throw new OAuthError("invalid_request", "assertion and body name different clients");
  const client = await clients.find(clientId);
  if (client?.jwks !== undefined && (await assertions.prove(clientId, client.jwks, assertion))) return client;
  throw new UnknownClientError(client?.clientId);
}

function readCredentials(authorization: string | undefined, form: TokenForm): ClientCredentials {
  const clientId = form.get("client_id");
  const clientSecret = form.get("client_secret");
  if (authorization === undefined) {
    if (clientId === undefined || clientSecret === undefined) throw new UnknownClientError();
    return { clientId, clientSecret };
  }
  if (clientSecret !== undefined)
    throw new OAuthError("invalid_request", "the client authenticates in the header and in the body, use one");
  const basic = readBasic(authorization);
  if (clientId !== undefined && clientId !== basic.clientId)
    throw new OAuthError("invalid_request", "header and body name different clients");
  return basic;
}

const basicForm = /^Basic ([A-Za-z0-9+/]+={0,2})$/i;

/** Both parts are form-urlencoded before they are joined by a colon (RFC 6749 §2.3.1). */
function readBasic(authorization: string): ClientCredentials {
  const encoded = basicForm.exec(authorization)?.[1];
  const [id, ...rest] = Buffer.from(encoded ?? "", "base64")
    .toString("utf8")
    .split(":");
  if (id === undefined || rest.length === 0) throw new UnknownClientError();
  try {
    return { clientId: formDecode(id), clientSecret: formDecode(rest.join(":")) };
  } catch {
    // A percent sign that begins nothing: these are no credentials of ours.
    throw new UnknownClientError();
  }
}

function formDecode(value: string): string {
  return decodeURIComponent(value.replaceAll("+", " "));
}
