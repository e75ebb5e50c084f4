import { beforeAll, describe, expect, test } from "bun:test";
import { createDatabase } from "@vitrine/kit/postgres";
import { buildDocument } from "@vitrine/kit/openapi";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { listOperations } from "@vitrine/kit/testing/openapi";
import { startPostgres } from "@vitrine/kit/testing/postgres";
import { makeIngestKey } from "@vitrine/kit/tokens/ingest-key";
import { exportJWK, generateKeyPair } from "jose";
import { authDocument } from "./openapi/document.ts";
import { type Actors, actAsClients, administer, liveAsAPerson, sendRubbish } from "./testing/lives.ts";
import { recordService } from "./testing/recorded-service.ts";
import { createRecordingClient, type RecordingClient } from "./testing/recording-client.ts";
import { newSecret } from "./testing/start-auth.ts";

const issuer = "http://localhost:8080";
const operations = listOperations(buildDocument(authDocument(issuer)));
const addresses = ["203.0.113.77", "2001:db8:aaaa:bbbb:1:2:3:4"];

let answers: RecordingClient["answers"] = [];
let secrets: RecordingClient["secrets"] = new Map();
/** Logs and telemetry, all of it. */
let said = "";
let audit = "";
let auditRows = "";
/** Every row of every table. */
let stored = "";

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const client = (id: string) => ({ id, secret: newSecret() });
  const actors: Actors = {
    person: { name: "planted-name", password: "planted-password-1" },
    newPassword: "planted-password-2",
    adminPassword: "planted-admin-password",
    orders: client("orders"),
    cli: client("cli"),
    gateway: client("gateway"),
    billing: { key: privateKey, audience: issuer },
  };
  const { orders, cli, gateway } = actors;
  const preset = makeIngestKey().key;
  const { url: DATABASE_URL } = await startPostgres();
  const env = {
    DATABASE_URL,
    KEY_ENCRYPTION_KEY: newSecret(),
    ADMIN_PASSWORD: actors.adminPassword,
    INGEST_KEYS: JSON.stringify([{ name: "edge", key: preset, scopes: ["logs:write"], service: "edge" }]),
  };
  const service = await recordService(env, [
    { clientId: orders.id, clientSecret: orders.secret, service: "orders", scopes: ["inventory:read"] },
    { clientId: cli.id, clientSecret: cli.secret, scopes: ["telemetry:read"], mayImpersonate: true },
    { clientId: gateway.id, clientSecret: gateway.secret, scopes: ["feed:read"] },
    { clientId: "billing", clientJwks: { keys: [await exportJWK(publicKey)] }, scopes: ["traces:write"] },
  ]);
  const recording = createRecordingClient(service.url, addresses);
  ({ answers, secrets } = recording);
  recording.kept(env.KEY_ENCRYPTION_KEY, preset, preset.slice(21, 64), orders.secret, cli.secret, gateway.secret);
  recording.kept(actors.adminPassword, actors.person.password, actors.newPassword, "planted-wrong-password");
  recording.kept((await exportJWK(privateKey)).d ?? "");

  for (const [name, { operation }] of operations) if (operation.security.length === 0) await recording.call(name);
  await liveAsAPerson(recording, actors);
  await actAsClients(recording, actors);
  await sendRubbish(recording, operations, actors);
  await administer(recording, actors);
  audit = answers.findLast(({ name, status }) => name === "GET /api/auth/audit" && status === 200)?.text ?? "";
  const database = createDatabase({ url: DATABASE_URL, service: "auth", logger: memoryLogger().logger });
  const tables = await database.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = current_schema()",
  );
  for (const { name } of tables) stored += JSON.stringify(await database.query(`select t::text as row from ${name} t`));
  auditRows = JSON.stringify(await database.query("select t::text as row from audit_log t"));
  audit += auditRows;
  await database.close();
  said = await service.finish();
}, 120_000);

/** As it is, and as bytes are shown by PostgreSQL, by JSON and in addresses. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString("hex"),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    encodeURIComponent(secret),
  ];
}

function foundIn(text: string): readonly string[] {
  return [...secrets.keys()].filter((secret) => formsOf(secret).some((form) => text.includes(form)));
}

describe("everything the service can do was done, and of what is secret", () => {
  test("there is some of every kind, each operation succeeded, and each was refused where it can be", () => {
    const succeeded = new Set(answers.filter(({ status }) => status < 300).map(({ name }) => name));
    expect(operations.map(([name]) => name).filter((name) => !succeeded.has(name))).toEqual([]);
    const refused = new Set(answers.filter(({ status }) => status >= 400 && status < 500).map(({ name }) => name));
    const refusable = operations.filter(([, { operation }]) => operation.security.length > 0 || operation.requestBody);
    expect(refusable.map(([name]) => name).filter((name) => !refused.has(name))).toEqual([]);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(secrets.size).toBeGreaterThan(70);
    for (const secret of secrets.keys()) expect(secret.length).toBeGreaterThan(11);
  });

  test("nothing is in what it prints or exports: logs, spans with their SQL, metrics", () => {
    for (const signal of [
      "/v1/traces",
      "/v1/metrics",
      "/v1/logs",
      "authn_login_success",
      "db.query.text",
      "auth.attempts",
    ])
      expect(said).toContain(signal);
    expect(foundIn(said)).toEqual([]);
  });

  test("nothing is in the audit log, nor in any table as it could be used", () => {
    expect(audit).toContain("authn_token_reuse");
    expect(foundIn(audit)).toEqual([]);
    expect(foundIn(stored)).toEqual([]);
  });

  test("nothing is in an answer but the one that gave it, least of all in a refusal", () => {
    for (const [secret, giver] of secrets)
      for (const [index, { name, text }] of answers.entries())
        if (index !== giver) expect(text.includes(secret) ? `${name} tells ${secret}` : "").toBe("");
  });

  test("no name, no rubbish and no whole address is in the log, the telemetry, the audit log or a table", () => {
    // Whoever may read the audit log is told names beside its rows, and no row holds one.
    for (const text of [said, auditRows]) expect(text).not.toContain("planted");
    expect(stored).not.toContain("planted-rubbish");
    for (const address of addresses) for (const text of [said, audit, stored]) expect(text).not.toContain(address);
    for (const masked of ["203.0.113.0", "2001:db8:aaaa::"]) expect(audit).toContain(masked);
  });
});
