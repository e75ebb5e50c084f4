import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { user } from "@vitrine/contracts/auth";
import { backupCodes, enrolment, secondFactorNeeded, secondFactorState } from "@vitrine/contracts/people";
import { quickPasswords, readToken, startAuth, type TestAuth } from "../testing/start-auth.ts";
import { stepAt, totpCode } from "../totp.ts";

const password = "an orchid in the window";
const stepMs = 30_000;
let auth: TestAuth;
let clockMs = Math.floor(Date.now() / stepMs) * stepMs;
let people = 0;

beforeAll(async () => {
  auth = await startAuth({ now: () => clockMs, env: { DEMO: "on" }, passwordFunction: quickPasswords });
});

afterAll(() => auth[Symbol.asyncDispose]());

function fromBase32(text: string): Uint8Array {
  const bits = text
    .split("")
    .map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0"));
  return Uint8Array.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

async function signedIn(at = auth) {
  people += 1;
  const name = `Person-${people}`;
  const { id } = user.parse(await (await at.json("/api/auth/register", { name, password })).json());
  const { access_token: token } = await readToken(await at.json("/api/auth/login", { name, password }));
  return { name, id, token };
}

type Person = Awaited<ReturnType<typeof enrolled>>;

/** A person whose second factor is active, with a code of each step to come. */
async function enrolled(at = auth) {
  const person = await signedIn(at);
  const { token } = person;
  const begun = enrolment.parse(await (await at.send("POST", "/api/auth/second-factor", { token })).json());
  const seed = fromBase32(begun.secret);
  const code = (offset = 0) => totpCode(seed, stepAt(clockMs) + offset);
  const confirm = await at.send("POST", "/api/auth/second-factor/confirm", { token, body: { code: code() } });
  const codes = backupCodes.parse(await confirm.json()).backupCodes;
  clockMs += stepMs;
  return { ...person, ...begun, seed, code, codes };
}

async function challengeOf({ name }: Pick<Person, "name">, session?: "cookie"): Promise<string> {
  const body = { name, password, ...(session === undefined ? {} : { session }) };
  const answer = await auth.send("POST", "/api/auth/login", { body });
  expect([answer.status, answer.headers.get("set-cookie")]).toEqual([401, null]);
  return secondFactorNeeded.parse(await answer.json()).challenge;
}

function meet(challenge: string, code: string, address?: string): Promise<Response> {
  const from = address === undefined ? {} : { address };
  return auth.send("POST", "/api/auth/login/totp", { body: { challenge, code }, ...from });
}

async function stateOf(token: string) {
  return secondFactorState.parse(await (await auth.send("GET", "/api/auth/second-factor", { token })).json());
}

describe("setting it up", () => {
  test("shows seed, address and picture, and counts only once a code of it was shown", async () => {
    const { token, name } = await signedIn();
    const answer = await auth.send("POST", "/api/auth/second-factor", { token });
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([201, "no-store"]);
    const { secret, uri, qr } = enrolment.parse(await answer.json());
    expect(fromBase32(secret)).toHaveLength(20);
    expect(uri).toStartWith(`otpauth://totp/Vitrine:${name}?secret=${secret}&`);
    expect(qr).toStartWith("data:image/svg+xml;base64,");
    expect(atob(qr.split(",")[1] ?? "")).toContain("<svg");
    expect(await stateOf(token)).toEqual({ active: false, backupCodesLeft: 0 });
    expect((await auth.json("/api/auth/login", { name, password })).status).toBe(200);

    const wrong = await auth.send("POST", "/api/auth/second-factor/confirm", { token, body: { code: "000000" } });
    expect(wrong.status).toBe(401);
    const code = totpCode(fromBase32(secret), stepAt(clockMs));
    const confirm = await auth.send("POST", "/api/auth/second-factor/confirm", { token, body: { code } });
    const { backupCodes: codes } = backupCodes.parse(await confirm.json());
    expect(new Set(codes).size).toBe(10);
    for (const one of codes) expect(one).toMatch(/^\d(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
    expect(await stateOf(token)).toEqual({ active: true, backupCodesLeft: 10 });
    expect((await auth.send("POST", "/api/auth/second-factor", { token })).status).toBe(409);
  });

  test("needs a proof of identity of the last five minutes, and is not for the demo visitor", async () => {
    const { token } = await signedIn();
    clockMs += 300_001;
    const answer = await auth.send("POST", "/api/auth/second-factor", { token });
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
      401,
      'Bearer error="insufficient_user_authentication", max_age=300',
    ]);
    const step = (given: string) => auth.send("POST", "/api/auth/step-up", { token, body: { password: given } });
    expect((await step("wrong password")).status).toBe(401);
    expect((await auth.send("POST", "/api/auth/second-factor", { token })).status).toBe(401);
    expect((await step(password)).status).toBe(204);
    expect((await auth.send("POST", "/api/auth/second-factor", { token })).status).toBe(201);
    const visitor = await readToken(await auth.json("/api/auth/login", { name: "vip", password: "1234" }));
    expect((await auth.send("POST", "/api/auth/second-factor", { token: visitor.access_token })).status).toBe(403);
  });

  test("leaves neither the seed nor a backup code in any table or line of the log", async () => {
    await using own = await startAuth({ now: () => clockMs });
    const { secret, seed, codes } = await enrolled(own);
    const tables = await own.database.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = current_schema()",
    );
    const dumps = await Promise.all(tables.map(({ name }) => own.database.query(`select t::text from ${name} t`)));
    const output = JSON.stringify([dumps, own.lines]);
    expect(output).toContain("$argon2id$");
    const bytes = Buffer.from(seed);
    const secrets = [secret, bytes.toString("hex"), bytes.toString("base64url"), ...codes];
    for (const one of secrets.concat(codes.map((code) => code.slice(2).replaceAll("-", ""))))
      expect(output).not.toContain(one);
  });
});

describe("signing in with it", () => {
  test("takes a code after the password, for tokens and for a cookie", async () => {
    const person = await enrolled();
    const tokens = await readToken(await meet(await challengeOf(person), person.code()));
    expect(tokens.refresh_token).toMatch(/^vrt_/);
    expect(await auth.verifier.verify(tokens.access_token)).toMatchObject({ sub: person.id });
    clockMs += stepMs;
    const answer = await meet(await challengeOf(person, "cookie"), person.code());
    expect(answer.status).toBe(200);
    expect(answer.headers.get("set-cookie")).toStartWith("__Host-vitrine_session=");
  });

  test("takes a code once, though it is still valid", async () => {
    const person = await enrolled();
    const code = person.code();
    expect((await meet(await challengeOf(person), code)).status).toBe(200);
    expect((await meet(await challengeOf(person), code)).status).toBe(401);
    clockMs += stepMs;
    expect((await meet(await challengeOf(person), person.code())).status).toBe(200);
  });

  test("takes a code once when it comes many times at once", async () => {
    const person = await enrolled();
    const challenges = await Promise.all(Array.from({ length: 4 }, () => challengeOf(person)));
    const answers = await Promise.all(challenges.map((challenge) => meet(challenge, person.code())));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test.each([
    [-2, 401],
    [-1, 200],
    [1, 200],
    [2, 401],
  ])("takes no code that is more than one step away: %d steps answer %d", async (offset, status) => {
    const person = await enrolled();
    clockMs += 4 * stepMs;
    expect((await meet(await challengeOf(person), person.code(offset))).status).toBe(status);
  });

  test("takes a backup code once, in any case and with or without dashes", async () => {
    const person = await enrolled();
    const [one = "", two = ""] = person.codes;
    expect((await meet(await challengeOf(person), one)).status).toBe(200);
    expect((await meet(await challengeOf(person), one)).status).toBe(401);
    const answer = await meet(await challengeOf(person), two.replaceAll("-", "").toUpperCase());
    const { access_token } = await readToken(answer);
    expect(await stateOf(access_token)).toEqual({ active: true, backupCodesLeft: 8 });
  });

  test("takes a backup code once when it comes many times at once", async () => {
    const person = await enrolled();
    const challenges = await Promise.all(Array.from({ length: 4 }, () => challengeOf(person)));
    const answers = await Promise.all(challenges.map((challenge) => meet(challenge, person.codes[3] ?? "")));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("takes a challenge once, for five minutes, and none that nobody gave out", async () => {
    const person = await enrolled();
    const used = await challengeOf(person);
    expect((await meet(used, person.code())).status).toBe(200);
    clockMs += stepMs;
    expect((await meet(used, person.code())).status).toBe(401);
    const late = await challengeOf(person);
    clockMs += 300_001;
    expect((await meet(late, person.code())).status).toBe(401);
    expect((await meet("A".repeat(43), person.code())).status).toBe(401);
  });

  test("takes no code of somebody else", async () => {
    const [one, other] = [await enrolled(), await enrolled()];
    expect((await meet(await challengeOf(one), other.code())).status).toBe(401);
    expect((await meet(await challengeOf(one), other.codes[0] ?? "")).status).toBe(401);
  });

  test("is throttled on its own, and opens again to the one who waited", async () => {
    const person = await enrolled();
    const challenge = await challengeOf(person);
    const statuses: number[] = [];
    for (let index = 0; index < 10; index += 1) statuses.push((await meet(challenge, `00000${index}`)).status);
    expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    expect(statuses.slice(6)).toEqual([429, 429, 429, 429]);
    const refused = await meet(challenge, person.code());
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await meet(challenge, person.code(), "203.0.113.9")).status).toBe(200);
  });
});

test("codes guessed from many addresses are throttled together, for half a minute at most", async () => {
  const person = await enrolled();
  const challenge = await challengeOf(person);
  const statuses: number[] = [];
  for (let index = 0; index < 60; index += 1)
    statuses.push((await meet(challenge, "000000", `203.0.113.${index}`)).status);
  expect(statuses.filter((status) => status === 401)).toHaveLength(51);
  expect(statuses.slice(51).every((status) => status === 429)).toBe(true);
  clockMs += stepMs;
  expect((await meet(challenge, person.code(), "198.51.100.9")).status).toBe(200);
});

describe("with a second factor", () => {
  const newPassword = "a lily on the water";
  const bodyOf = (code?: string) => ({ password, ...(code === undefined ? {} : { code }) });

  test("a change needs both proofs within the last five minutes", async () => {
    const person = await enrolled();
    const { token } = person;
    clockMs += 300_001;
    const changes = [
      () => auth.send("DELETE", "/api/auth/second-factor", { token }),
      () => auth.send("POST", "/api/auth/second-factor/backup-codes", { token }),
      () => auth.send("POST", "/api/auth/password", { token, body: { currentPassword: password, newPassword } }),
    ];
    for (const change of changes) expect((await change()).status).toBe(401);
    expect((await auth.send("POST", "/api/auth/step-up", { token, body: bodyOf() })).status).toBe(401);
    expect((await auth.send("POST", "/api/auth/step-up", { token, body: bodyOf("000000") })).status).toBe(401);
    for (const change of changes) expect((await change()).status).toBe(401);
    expect((await auth.send("POST", "/api/auth/step-up", { token, body: bodyOf(person.code()) })).status).toBe(204);
    expect((await changes[2]?.())?.status).toBe(204);
    expect((await changes[1]?.())?.status).toBe(200);
    expect((await changes[0]?.())?.status).toBe(204);
    expect(await stateOf(token)).toEqual({ active: false, backupCodesLeft: 0 });
    expect((await auth.json("/api/auth/login", { name: person.name, password: newPassword })).status).toBe(200);
  });

  test("new backup codes make the old ones void", async () => {
    const person = await enrolled();
    const answer = await auth.send("POST", "/api/auth/second-factor/backup-codes", { token: person.token });
    const { backupCodes: fresh } = backupCodes.parse(await answer.json());
    expect((await meet(await challengeOf(person), person.codes[0] ?? "")).status).toBe(401);
    expect((await meet(await challengeOf(person), fresh[0] ?? "")).status).toBe(200);
  });

  test("a challenge that a thief of the password holds is void once the password is changed", async () => {
    const person = await enrolled();
    const challenge = await challengeOf(person);
    const body = { currentPassword: password, newPassword };
    expect((await auth.send("POST", "/api/auth/password", { token: person.token, body })).status).toBe(204);
    expect((await meet(challenge, person.code())).status).toBe(401);
  });
});
