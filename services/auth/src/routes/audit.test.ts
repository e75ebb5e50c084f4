import { afterAll, beforeAll, expect, test } from "bun:test";
import { auditCheck, auditPage, backupCodes, enrolment, secondFactorNeeded } from "@vitrine/contracts/people";
import { quickPasswords, readToken, startAuth, type TestAuth } from "../testing/start-auth.ts";
import { stepAt, totpCode } from "../totp.ts";

const password = "planted-password-1";
const nextPassword = "planted-password-2";
const wrongPassword = "planted-wrong-password";
const address = "203.0.113.77";
const agent = "browser/1";
let clockMs = Math.floor(Date.now() / 30_000) * 30_000;
let auth: TestAuth;

beforeAll(async () => {
  auth = await startAuth({
    now: () => clockMs,
    passwordFunction: quickPasswords,
    env: { ADMIN_PASSWORD: "planted-admin-password" },
  });
});

afterAll(() => auth[Symbol.asyncDispose]());

const send = (path: string, token: string | undefined, body: unknown, method = "POST") =>
  auth.send(method, `/api/auth${path}`, {
    address,
    headers: { "user-agent": agent },
    ...(token === undefined ? {} : { token }),
    ...(body === undefined ? {} : { body }),
  });

async function administrator(): Promise<string> {
  const answer = await send("/login", undefined, { name: "admin", password: "planted-admin-password" });
  return (await readToken(answer)).access_token;
}

/** Everything a person can do, with every secret there is on the way. */
async function liveALife(): Promise<readonly string[]> {
  await send("/register", undefined, { name: "planted-name", password });
  await send("/login", undefined, { name: "planted-name", password: wrongPassword });
  await send("/login", undefined, { name: "planted-nobody", password });
  const first = await readToken(await send("/login", undefined, { name: "planted-name", password }));
  const second = await readToken(await send("/refresh", undefined, { refresh_token: first.refresh_token }));
  const token = second.access_token;
  const { secret, uri } = enrolment.parse(await (await send("/second-factor", token, undefined)).json());
  const bits = secret
    .split("")
    .map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0"));
  const seed = Uint8Array.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const code = totpCode(seed, stepAt(clockMs));
  const confirmed = await send("/second-factor/confirm", token, { code });
  const codes = backupCodes.parse(await confirmed.json()).backupCodes;
  await send("/password", token, { currentPassword: password, newPassword: nextPassword });
  const needed = await send("/login", undefined, { name: "planted-name", password: nextPassword, session: "cookie" });
  const { challenge } = secondFactorNeeded.parse(await needed.json());
  const met = await send("/login/totp", undefined, { challenge, code: codes[0] });
  const cookie = /^__Host-vitrine_session=([^;]+)/.exec(met.headers.get("set-cookie") ?? "")?.[1] ?? "none";
  const reused = await send("/refresh", undefined, { refresh_token: first.refresh_token });
  expect([met.status, reused.status]).toEqual([200, 401]);
  const tokens = [first, second].flatMap((one) => [
    one.access_token.split(".")[2] ?? "",
    one.refresh_token?.slice(4) ?? "",
  ]);
  const plain = codes.map((one) => one.slice(2).replaceAll("-", ""));
  return [password, nextPassword, wrongPassword, secret, uri, challenge, cookie, ...codes, ...plain, ...tokens];
}

test("every step of a life is told, with who, from where and by which request, and no secret of it is kept anywhere", async () => {
  const secrets = await liveALife();
  const token = await administrator();
  const events = auditPage.parse(await (await send("/audit?limit=100", token, undefined, "GET")).json()).items;
  const told = events.map(({ event, outcome, action }) => `${event} ${outcome} ${action}`);
  for (const expected of [
    "user_created success registration",
    "authn_login_fail failure password",
    "authn_login_success success password",
    "session_created success token",
    "session_renewed success refresh_token",
    "authn_second_factor success second_factor_enable",
    "authn_password_change success password_change",
    "authn_second_factor success challenge",
    "authn_login_success success backup_code",
    "session_created success cookie",
    "authn_token_reuse failure refresh_token",
  ])
    expect(told).toContain(expected);
  const requested = events.filter(({ requestId }) => requestId !== null);
  for (const event of requested) expect(event).toMatchObject({ address: "203.0.113.0", userAgent: agent });

  const tables = await auth.database.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = current_schema()",
  );
  const dumps: unknown[] = [];
  for (const { name } of tables) dumps.push(name, await auth.database.query(`select t::text as row from ${name} t`));
  const kept = JSON.stringify([dumps, auth.lines, auth.printed, events]);
  for (const secret of [...secrets, address]) expect(kept).not.toContain(secret);
  const stored = await auth.database.query("select t::text as row from audit_log t");
  expect(JSON.stringify([auth.lines, stored])).not.toContain("planted");
});

test("the log is read and checked by administrators only, page by page, and a change to it is found", async () => {
  const visitor = { name: "Somebody", password: "an orchid in the window" };
  await send("/register", undefined, visitor);
  const { access_token } = await readToken(await send("/login", undefined, visitor));
  expect((await send("/audit", access_token, undefined, "GET")).status).toBe(403);
  expect((await send("/audit/check", access_token, undefined)).status).toBe(403);
  expect((await send("/audit", undefined, undefined, "GET")).status).toBe(401);

  for (let index = 0; index < 4; index += 1) await administrator();
  const token = await administrator();
  const page = async (query: string) =>
    auditPage.parse(await (await send(`/audit?limit=5${query}`, token, undefined, "GET")).json());
  const first = await page("");
  const second = await page(`&cursor=${first.next ?? ""}`);
  const numbers = [...first.items, ...second.items].map(({ seq }) => seq);
  const newest = numbers[0] ?? 0;
  expect(numbers).toEqual(Array.from({ length: 10 }, (_, index) => newest - index));

  const check = async () => auditCheck.parse(await (await send("/audit/check", token, undefined)).json());
  expect(await check()).toMatchObject({ intact: true, rows: newest, brokenAt: null });
  await auth.database.query("alter table audit_log disable trigger user");
  await auth.database.query("update audit_log set reason = 'another' where seq = 4");
  await auth.database.query("alter table audit_log enable trigger user");
  expect(await check()).toMatchObject({ intact: false, rows: 3, brokenAt: 4 });
});
