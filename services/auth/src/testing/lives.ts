import { clientAssertionType, grantTypes, userNameTokenType } from "@vitrine/contracts/auth";
import { createdIngestKey } from "@vitrine/contracts/ingest-keys";
import { backupCodes, enrolment, secondFactorNeeded, sessionList } from "@vitrine/contracts/people";
import { createdUser, resetPassword } from "@vitrine/contracts/users";
import type { listOperations } from "@vitrine/kit/testing/openapi";
import { type CryptoKey, SignJWT } from "jose";
import { stepAt, totpCode } from "../totp.ts";
import type { RecordingClient, Sent } from "./recording-client.ts";
import { basic } from "./start-auth.ts";

interface Client {
  readonly id: string;
  readonly secret: string;
}

/** Who takes part, and what each of them knows. */
export interface Actors {
  readonly person: { readonly name: string; readonly password: string };
  readonly newPassword: string;
  readonly adminPassword: string;
  readonly orders: Client;
  readonly cli: Client;
  readonly gateway: Client;
  readonly billing: { readonly key: CryptoKey; readonly audience: string };
}

function login({ call }: RecordingClient, name: string, password: string, more = {}) {
  return call("POST /api/auth/login", { body: { name, password, ...more } });
}

/** Everything a person does with an account. */
export async function liveAsAPerson(client: RecordingClient, { person, newPassword }: Actors): Promise<void> {
  const { call, given, kept, tokens } = client;
  await call("POST /api/auth/register", { body: person });
  await login(client, person.name, "planted-wrong-password");
  const first = await tokens(login(client, person.name, person.password));
  const { access_token: token } = await tokens(
    call("POST /api/auth/refresh", { body: { refresh_token: first.refresh_token } }),
  );
  await call("GET /api/auth/me", { token });
  await call("GET /api/auth/second-factor", { token });
  const { secret, uri, qr } = enrolment.parse((await call("POST /api/auth/second-factor", { token })).json());
  given(secret, uri, qr);
  const bits = Array.from(secret, (one) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0"),
  );
  const seed = Uint8Array.from(bits.join("").match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
  kept(Buffer.from(seed).toString("base64url"), Buffer.from(seed).toString("hex"));
  const code = totpCode(seed, stepAt(Date.now()));
  const old = backupCodes.parse(
    (await call("POST /api/auth/second-factor/confirm", { token, body: { code } })).json(),
  ).backupCodes;
  given(...old, ...old.map((one) => one.slice(2).replaceAll("-", "")));
  const renewed = backupCodes.parse(
    (await call("POST /api/auth/second-factor/backup-codes", { token })).json(),
  ).backupCodes;
  given(...renewed, ...renewed.map((one) => one.slice(2).replaceAll("-", "")));

  const needed = await login(client, person.name, person.password, { session: "cookie" });
  const { challenge } = secondFactorNeeded.parse(needed.json());
  given(challenge);
  await call("POST /api/auth/login/totp", { body: { challenge, code: old[0] } });
  const met = await call("POST /api/auth/login/totp", { body: { challenge, code: renewed[0] } });
  const cookie = /^[^;]+/.exec(met.setCookie)?.[0] ?? "";
  given(cookie.split("=")[1] ?? "no cookie");
  await tokens(call("POST /api/auth/session/token", { cookie }));
  await call("GET /api/auth/verify", { cookie });
  await call("POST /api/auth/logout", { cookie });
  await call("POST /api/auth/step-up", { token, body: { password: person.password, code: renewed[1] } });
  await call("POST /api/auth/password", { token, body: { currentPassword: person.password, newPassword } });
  const { items } = sessionList.parse((await call("GET /api/auth/sessions", { token })).json());
  await call("DELETE /api/auth/second-factor", { token });
  await call("DELETE /api/auth/sessions", { token, query: "?keep=current" });
  await call("DELETE /api/auth/sessions/{id}", { token, params: { id: items[0]?.id ?? "" } });
  await call("POST /api/auth/refresh", { body: { refresh_token: first.refresh_token } });
}

/** Everything administrators and gateways do. */
export async function administer(client: RecordingClient, { adminPassword, gateway }: Actors): Promise<void> {
  const { call, given, tokens } = client;
  const { access_token: token } = await tokens(login(client, "admin", adminPassword));
  const made = createdUser.parse(
    (await call("POST /api/auth/users", { token, body: { name: "planted-other" } })).json(),
  );
  given(made.password ?? "no password");
  const params = { id: made.id };
  const reset = resetPassword.parse((await call("POST /api/auth/users/{id}/password", { token, params })).json());
  given(reset.password);
  await call("PATCH /api/auth/users/{id}", { token, params, body: { role: "operator" } });
  await call("GET /api/auth/users", { token });
  const grant = { name: "shop", scopes: ["logs:write"], service: "shop" };
  const { id, key } = createdIngestKey.parse((await call("POST /api/auth/ingest-keys", { token, body: grant })).json());
  given(key, key.slice(21, 64));
  const feed = (
    await tokens(
      call("POST /oauth/token", {
        basic: basic(gateway.id, gateway.secret),
        form: { grant_type: grantTypes.clientCredentials },
      }),
    )
  ).access_token;
  await call("GET /api/auth/feed", { token: feed });
  await call("POST /api/auth/feed/used", { token: feed, body: { keys: [{ id, usedAtMs: Date.now() }] } });
  await call("GET /api/auth/verify", { token: key });
  await call("GET /api/auth/ingest-keys", { token });
  await call("DELETE /api/auth/ingest-keys/{id}", { token, params: { id } });
  await call("GET /api/auth/signing-keys", { token });
  await call("POST /api/auth/signing-keys", { token, body: { mode: "planned" } });
  await call("POST /api/auth/audit/check", { token });
  await call("GET /api/auth/audit", { token, query: "?limit=100" });
}

/** Everything OAuth clients do. */
export async function actAsClients(
  client: RecordingClient,
  { orders, cli, billing, person, newPassword }: Actors,
): Promise<void> {
  const { call, kept, tokens } = client;
  const proof = { basic: basic(orders.id, orders.secret) };
  const { access_token } = await tokens(
    call("POST /oauth/token", { ...proof, form: { grant_type: grantTypes.clientCredentials } }),
  );
  const assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: "EdDSA" })
    .setIssuer("billing")
    .setSubject("billing")
    .setAudience(billing.audience)
    .setExpirationTime("1m")
    .sign(billing.key);
  kept(assertion, assertion.split(".")[2] ?? "");
  const proven = { client_assertion_type: clientAssertionType, client_assertion: assertion };
  const form = { grant_type: grantTypes.clientCredentials, ...proven };
  await tokens(call("POST /oauth/token", { form }));
  await call("POST /oauth/token", { form });
  const exchange = {
    grant_type: grantTypes.tokenExchange,
    subject_token: person.name,
    subject_token_type: userNameTokenType,
  };
  await tokens(call("POST /oauth/token", { basic: basic(cli.id, cli.secret), form: exchange }));
  const again = await tokens(login(client, person.name, newPassword));
  await tokens(
    call("POST /oauth/token", {
      form: { grant_type: grantTypes.refreshToken, refresh_token: again.refresh_token ?? "" },
    }),
  );
  await call("POST /oauth/introspect", { ...proof, form: { token: access_token } });
  await call("POST /oauth/revoke", { ...proof, form: { token: access_token } });
}

/** Every operation by somebody who puts what is secret wherever something can be put. */
export async function sendRubbish(
  { call, kept }: RecordingClient,
  operations: ReturnType<typeof listOperations>,
  { person, newPassword }: Actors,
): Promise<void> {
  const text = "planted-rubbish";
  const fields = [
    "name",
    "password",
    "currentPassword",
    "newPassword",
    "code",
    "challenge",
    "refresh_token",
    "session",
    "role",
    "scopes",
    "service",
    "mode",
    "keys",
    "head",
  ];
  const parameters = [
    "grant_type",
    "scope",
    "refresh_token",
    "subject_token",
    "subject_token_type",
    "audience",
    "token",
    "token_type_hint",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
  ];
  const all = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, text]));
  const jwt = ["alg", "sub", "jti"]
    .map((name) => Buffer.from(JSON.stringify({ [name]: text })).toString("base64url"))
    .join(".");
  kept(jwt);
  for (const [name, { path, method, operation }] of operations) {
    const params = Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, key = ""]) => [key, "unknown"]));
    const sent: Sent =
      method === "GET"
        ? {}
        : "application/json" in (operation.requestBody?.content ?? {})
          ? { body: all(fields) }
          : { form: all(parameters) };
    const query = `?access_token=${text}&limit=${text}&cursor=${text}&scope=${text}&after=${text}&head=${text}`;
    for (const token of [text, jwt, `vik_0123456789abcdef_${text}`])
      await call(name, { ...sent, params, query, token });
    await call(name, { ...sent, params, basic: `Basic ${btoa(`${text}:${text}`)}` });
    await call(name, { ...sent, params, cookie: `__Host-vitrine_session=${text}` });
    for (const password of [person.password, newPassword])
      await call(name, { params, ...(method === "GET" ? {} : { body: { name: password, password } }) });
  }
}
