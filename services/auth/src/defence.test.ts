import { describe, expect, test } from "bun:test";
import { basic, quickPasswords, readToken, startAuth, type TestAuth } from "./testing/start-auth.ts";

const password = "an orchid in the window";
const minuteMs = 60_000;

interface From {
  readonly address: string;
  readonly agent?: string;
}

function signIn(auth: TestAuth, name: string, given: string, { address, agent = "browser" }: From): Promise<Response> {
  return auth.send("POST", "/api/auth/login", {
    address,
    headers: { "user-agent": agent },
    body: { name, password: given },
  });
}

async function start(clock = { ms: Date.now() }) {
  const auth = await startAuth({ passwordFunction: quickPasswords, now: () => clock.ms });
  await auth.json("/api/auth/register", { name: "owner", password });
  return { auth, clock, [Symbol.asyncDispose]: () => auth[Symbol.asyncDispose]() };
}

async function eventsOf(auth: TestAuth, event: string) {
  return auth.database.query("select outcome, reason, actor, target from audit_log where event = $1 order by seq", [
    event,
  ]);
}

describe("guessing", () => {
  test("a thousand passwords from one address gets a handful of tries and an alarm, and the owner signs in meanwhile", async () => {
    await using started = await start();
    const { auth } = started;
    const statuses: number[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          signIn(auth, "owner", `guess ${batch * 50 + index}`, { address: "203.0.113.66", agent: `a${index}` }),
        ),
      );
      statuses.push(...answers.map(({ status }) => status));
      for (const answer of answers)
        if (answer.status === 429) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      if (batch % 5 === 0)
        expect((await signIn(auth, "owner", password, { address: "198.51.100.7" })).status).toBe(200);
    }
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(6);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(994);
    expect(await eventsOf(auth, "authn_login_fail_max")).toMatchObject([{ reason: "account_and_address" }]);
    expect((await eventsOf(auth, "excess_rate_limit_exceeded")).length).toBeGreaterThan(0);
    expect(auth.lines.some(({ action, level }) => action === "authn_login_fail_max" && level === "error")).toBe(true);
  });

  test("from a thousand addresses slows strangers down, and never the owner on a device that signed in before", async () => {
    await using started = await start();
    const { auth } = started;
    const home = { address: "198.51.100.7" };
    expect((await signIn(auth, "owner", password, home)).status).toBe(200);
    const statuses: number[] = [];
    for (let index = 0; index < 200; index += 1) {
      const address = `203.0.${index}.1`;
      statuses.push((await signIn(auth, "owner", `guess ${index}`, { address })).status);
    }
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(51);
    expect((await signIn(auth, "owner", password, { address: "192.0.2.200" })).status).toBe(429);
    expect((await signIn(auth, "owner", password, home)).status).toBe(200);
    started.clock.ms += 30_000;
    expect((await signIn(auth, "owner", password, { address: "192.0.2.200" })).status).toBe(200);
  });

  test("of a neighbour behind the owner's address does not keep the owner out", async () => {
    await using started = await start();
    const { auth } = started;
    const address = "198.51.100.7";
    expect((await signIn(auth, "owner", password, { address, agent: "the owner's" })).status).toBe(200);
    for (let index = 0; index < 50; index += 1) await signIn(auth, "owner", `guess ${index}`, { address, agent: "x" });
    expect((await signIn(auth, "owner", password, { address, agent: "x" })).status).toBe(429);
    expect((await signIn(auth, "owner", password, { address, agent: "the owner's" })).status).toBe(200);
  });

  test("of one common password at many accounts is limited by the address, and told", async () => {
    await using started = await start();
    const { auth } = started;
    const statuses: number[] = [];
    for (let index = 0; index < 60; index += 1)
      statuses.push((await signIn(auth, `person-${index}`, "123456", { address: "203.0.113.66" })).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(31);
    expect(await eventsOf(auth, "authn_many_accounts")).toHaveLength(1);
  });

  test("is answered alike for a name that somebody has and one that nobody has, down to the delay", async () => {
    await using started = await start();
    const { auth } = started;
    const answersFor = async (name: string, address: string) => {
      const answers: unknown[] = [];
      for (let index = 0; index < 9; index += 1) {
        const answer = await signIn(auth, name, "wrong", { address });
        const { requestId: _, instance: __, ...body } = (await answer.json()) as Record<string, unknown>;
        answers.push([answer.status, answer.headers.get("retry-after"), body]);
      }
      return answers;
    };
    expect(await answersFor("owner", "203.0.113.1")).toEqual(await answersFor("nobody", "203.0.113.2"));
  });

  test("the password of a stolen session is throttled", async () => {
    await using started = await start();
    const { auth } = started;
    const token = (await readToken(await signIn(auth, "owner", password, { address: "198.51.100.7" }))).access_token;
    const statuses: number[] = [];
    for (let index = 0; index < 9; index += 1) {
      const body = { currentPassword: `guess ${index}`, newPassword: "a lily on the water" };
      statuses.push((await auth.send("POST", "/api/auth/password", { token, body })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 401, 429, 429, 429]);
  });
});

describe("a sign-in is told as suspicious", () => {
  test("from an address and an agent never seen, but not the first of all, nor with one of the two known", async () => {
    await using started = await start();
    const { auth } = started;
    await signIn(auth, "owner", password, { address: "198.51.100.7", agent: "one" });
    await signIn(auth, "owner", password, { address: "198.51.100.7", agent: "two" });
    await signIn(auth, "owner", password, { address: "192.0.2.1", agent: "one" });
    expect(await eventsOf(auth, "authn_new_origin")).toEqual([]);
    await signIn(auth, "owner", password, { address: "203.0.113.1", agent: "three" });
    expect(await eventsOf(auth, "authn_new_origin")).toHaveLength(1);
  });

  test("after many failures", async () => {
    await using started = await start();
    const { auth, clock } = started;
    for (let index = 0; index < 12; index += 1) {
      await signIn(auth, "owner", `guess ${index}`, { address: "203.0.113.1" });
      clock.ms += 5 * minuteMs;
    }
    expect((await signIn(auth, "owner", password, { address: "203.0.113.1" })).status).toBe(200);
    expect(await eventsOf(auth, "authn_login_successafterfail")).toHaveLength(1);
  });

  test("from three networks within five minutes, not within an hour", async () => {
    await using started = await start();
    const { auth, clock } = started;
    for (const address of ["203.0.113.1", "198.51.100.1", "192.0.2.1"]) {
      await signIn(auth, "owner", password, { address });
      clock.ms += 20 * minuteMs;
    }
    expect(await eventsOf(auth, "authn_impossible_travel")).toEqual([]);
    for (const address of ["203.0.113.1", "198.51.100.1", "192.0.2.1"]) {
      await signIn(auth, "owner", password, { address });
      clock.ms += minuteMs;
    }
    expect(await eventsOf(auth, "authn_impossible_travel")).toHaveLength(1);
  });
});

describe("secrets that nobody was given", () => {
  const stranger = "203.0.113.66";
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const guesses: readonly (readonly [string, string, (auth: TestAuth, n: number) => Promise<Response>])[] = [
    [
      "refresh tokens",
      "refresh_token",
      (auth, n) =>
        auth.send("POST", "/api/auth/refresh", {
          address: stranger,
          body: { refresh_token: `vrt_${n}`.padEnd(47, "x") },
        }),
    ],
    [
      "challenges",
      "totp",
      (auth, n) =>
        auth.send("POST", "/api/auth/login/totp", {
          address: stranger,
          body: { challenge: String(n).padEnd(43, "x"), code: "000000" },
        }),
    ],
    ...["/oauth/token", "/oauth/introspect", "/oauth/revoke"].map(
      (path) =>
        [
          `proofs of a client at ${path}`,
          "client_credentials",
          async (auth: TestAuth, n: number) =>
            auth.app.request(
              path,
              {
                method: "POST",
                headers: { ...form, authorization: basic("orders", `guess ${n}`) },
                body: "grant_type=client_credentials&token=x",
              },
              { server: { requestIP: () => ({ address: stranger }) } },
            ),
        ] as const,
    ),
  ];

  test.each(guesses)("are refused ever more slowly, and fill no audit log: %s", async (_, action, guess) => {
    await using started = await start();
    const { auth, clock } = started;
    const statuses: number[] = [];
    for (let n = 0; n < 130; n += 1) statuses.push((await guess(auth, n)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(101);
    const refused = await guess(auth, 130);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
    const rows = await auth.database.query(
      "select event, reason from audit_log where action = $1 and outcome = 'failure'",
      [action],
    );
    expect(rows).toHaveLength(102);
    expect(rows).toContainEqual({ event: "excess_rate_limit_exceeded", reason: "guessed_secret" });
    clock.ms += 1_000;
    expect((await guess(auth, 131)).status).toBe(401);
  });

  test("never keep out, from the same address, who has a right one", async () => {
    await using started = await start();
    const { auth } = started;
    const { refresh_token } = await readToken(await signIn(auth, "owner", password, { address: stranger }));
    for (const [, , guess] of guesses) for (let n = 0; n < 110; n += 1) await guess(auth, n);
    const renewed = await auth.send("POST", "/api/auth/refresh", { address: stranger, body: { refresh_token } });
    expect(renewed.status).toBe(200);
  });
});

test("neither names nor addresses can be read where attempts are counted", async () => {
  await using started = await start();
  const { auth } = started;
  await signIn(auth, "owner", "wrong", { address: "203.0.113.66" });
  await signIn(auth, "owner", password, { address: "203.0.113.66" });
  for (const table of ["throttles", "known_devices", "failed_accounts"]) {
    const dump = JSON.stringify(await auth.database.query(`select t::text as row from ${table} t`));
    expect(dump).not.toMatch(/owner|203\.0/);
    expect(dump).toContain("\\\\x");
  }
});
