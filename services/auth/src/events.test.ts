import { expect, test } from "bun:test";
import { grantTypes, userNameTokenType } from "@vitrine/contracts/auth";
import { logActions } from "@vitrine/contracts/telemetry";
import { basic, newSecret, readToken, startAuth, testSecrets } from "./testing/start-auth.ts";

const password = "planted-password-4711";
const wrongPassword = "planted-wrong-password-4712";
const adminPassword = "planted-admin-password-4713";
const encryptionKey = newSecret();

test("every event is logged under a known action, and no line holds a planted secret, a token or a name", async () => {
  await using auth = await startAuth({
    env: { ADMIN_PASSWORD: adminPassword, KEY_ENCRYPTION_KEY: encryptionKey, DEMO: "on" },
  });
  await auth.json("/api/auth/register", { name: "planted-name", password });
  await auth.json("/api/auth/register", { name: "planted-name", password });
  await auth.json("/api/auth/register", { name: "planted-other", password: "password123" });
  await auth.json("/api/auth/login", { name: "planted-name", password: wrongPassword });
  await auth.json("/api/auth/login", { name: wrongPassword, password });
  await auth.json("/api/auth/login", { name: "planted-name", password, extra: wrongPassword });
  const login = await readToken(await auth.json("/api/auth/login", { name: "planted-name", password }));
  await auth.me(login.access_token);
  await auth.me(`${login.access_token}x`);
  const credentials = { grant_type: "client_credentials" };
  const service = await readToken(await auth.token(credentials, basic("orders", testSecrets.orders)));
  await auth.token(credentials, basic("orders", testSecrets.cli));
  await auth.token(credentials, basic("planted-client", testSecrets.cli));
  await auth.token({ ...credentials, scope: "planted:scope" }, basic("orders", testSecrets.orders));
  await auth.token({ ...credentials, client_id: "cli", client_secret: testSecrets.cli });
  const exchange = {
    grant_type: grantTypes.tokenExchange,
    subject_token: "planted-name",
    subject_token_type: userNameTokenType,
  };
  const acting = await readToken(await auth.token(exchange, basic("cli", testSecrets.cli)));
  await auth.token({ ...exchange, subject_token: "planted-nobody" }, basic("cli", testSecrets.cli));

  const text = JSON.stringify(auth.lines);
  const signature = (token: string) => token.split(".")[2] ?? token;
  const plantedSecrets = [password, wrongPassword, adminPassword, encryptionKey, testSecrets.orders, testSecrets.cli];
  const signatures = [login, service, acting].map(({ access_token }) => signature(access_token));
  const secrets = plantedSecrets.concat(signatures, "planted", "$argon2id", "postgres://", "eyJ");
  for (const secret of secrets) expect(text).not.toContain(secret);

  const actions = new Set(auth.lines.map(({ action }) => action));
  for (const action of actions) expect(Object.keys(logActions)).toContain(action);
  for (const action of [
    "auth.key_created",
    "auth.clients_loaded",
    "user_created",
    "authn_login_success",
    "authn_login_fail",
    "authn_token_created",
    "authz_fail",
  ])
    expect(actions).toContain(action);
});

test("a refused sign-in names the person by id when there is one, a refused client by its id when it exists", async () => {
  await using auth = await startAuth();
  const registered = await auth.json("/api/auth/register", { name: "somebody", password });
  const { id } = (await registered.json()) as { id: string };
  const refusals = () => auth.lines.filter(({ action }) => action === "authn_login_fail");
  await auth.json("/api/auth/login", { name: "somebody", password: wrongPassword });
  expect(refusals().at(-1)).toMatchObject({ user: id, extra: { reason: "invalid_credentials" } });
  await auth.json("/api/auth/login", { name: "nobody", password: wrongPassword });
  expect(refusals().at(-1)?.["user"]).toBeUndefined();
  const credentials = { grant_type: "client_credentials" };
  await auth.token(credentials, basic("orders", testSecrets.cli));
  expect(refusals().at(-1)).toMatchObject({ extra: { method: "client_credentials", client_id: "orders" } });
  await auth.token(credentials, basic("nobody", testSecrets.cli));
  expect(refusals().at(-1)).toMatchObject({ extra: { method: "client_credentials", client_id: null } });
});
