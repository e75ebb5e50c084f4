import { grantTypes, userNameTokenType } from "@vitrine/contracts/auth";
import type { Role } from "@vitrine/contracts/scopes";
import { basic, readToken, type TestAuth, testSecrets } from "./start-auth.ts";

/** A token of a new person of the role, by token exchange. */
export async function personToken(auth: TestAuth, role: Role): Promise<string> {
  const id = Bun.randomUUIDv7();
  const name = `${role}-${id}`;
  // Nobody signs in by password here, so that no test waits for a hash.
  await auth.database.query("insert into users (id, name, role, password_hash) values ($1, $2, $3, '')", [
    id,
    name,
    role,
  ]);
  const form = {
    grant_type: grantTypes.tokenExchange,
    subject_token: name,
    subject_token_type: userNameTokenType,
  };
  return (await readToken(await auth.token(form, basic("cli", testSecrets.cli)))).access_token;
}

export async function clientToken(auth: TestAuth, clientId: keyof typeof testSecrets): Promise<string> {
  const response = await auth.token({ grant_type: "client_credentials" }, basic(clientId, testSecrets[clientId]));
  return (await readToken(response)).access_token;
}
