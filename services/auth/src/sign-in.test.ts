import { describe, expect, test } from "bun:test";
import { user } from "@vitrine/contracts/auth";
import { personToken } from "./testing/person-token.ts";
import { quickPasswords, readToken, startAuth, type TestAuth } from "./testing/start-auth.ts";

const pairs = 200;
const password = "an orchid in the window";

test("the time of a refused sign-in does not tell whether somebody has the name", async () => {
  await using auth = await startAuth();
  await auth.json("/api/auth/register", { name: "somebody", password });
  const seconds = async (name: string, index: number): Promise<number> => {
    const startedAt = performance.now();
    // An address each: it is not the throttle whose time is taken.
    const address = `198.51.${index >> 7}.${index & 127}`;
    const answer = await auth.send("POST", "/api/auth/login", { address, body: { name, password: "wrong one" } });
    expect(answer.status).toBe(401);
    return performance.now() - startedAt;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let index = 0; index < pairs; index += 1) {
    // In turns, so that what else the machine does falls on both alike.
    const turns = [
      () => seconds("somebody", index).then((time) => known.push(time)),
      () => seconds(`nobody-${index}`, index + 128).then((time) => unknown.push(time)),
    ];
    for (const turn of index % 2 === 0 ? turns : turns.toReversed()) await turn();
    if (index % 40 === 39) await auth.database.query("delete from throttles");
  }
  // How often a known name took longer than an unknown one: a half, if nothing can be told (Mann-Whitney).
  let longer = 0;
  for (const one of known) for (const other of unknown) longer += one > other ? 1 : 0;
  const share = longer / (known.length * unknown.length);
  expect(share).toBeGreaterThan(0.35);
  expect(share).toBeLessThan(0.65);
}, 300_000);

/** A person's sign-in with the right password, held while that is judged until `judge` is called. */
async function heldSignIn() {
  const [judging, judged] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let hold = false;
  const auth = await startAuth({
    passwordFunction: {
      ...quickPasswords,
      verify: async (text, hash) => {
        if (hold) {
          judging.resolve();
          await judged.promise;
        }
        return quickPasswords.verify(text, hash);
      },
    },
  });
  const { id, name } = user.parse(await (await auth.json("/api/auth/register", { name: "somebody", password })).json());
  const admin = await personToken(auth, "admin");
  hold = true;
  const answer = auth.json("/api/auth/login", { name, password });
  await judging.promise;
  const judge = () => {
    judged.resolve();
    return answer;
  };
  return { auth, id, admin, judge, [Symbol.asyncDispose]: () => auth[Symbol.asyncDispose]() };
}

type Change = (auth: TestAuth, id: string, token: string) => Promise<Response>;

const endings: readonly (readonly [string, Change])[] = [
  ["whose password is reset", (auth, id, token) => auth.send("POST", `/api/auth/users/${id}/password`, { token })],
  [
    "who is disabled",
    (auth, id, token) => auth.send("PATCH", `/api/auth/users/${id}`, { token, body: { disabled: true } }),
  ],
];

describe("while a password is judged", () => {
  test.each(endings)("a person %s gets no session by it", async (_, change) => {
    await using held = await heldSignIn();
    const { auth, id, admin } = held;
    expect((await change(auth, id, admin)).status).toBe(200);
    expect((await held.judge()).status).toBe(401);
    expect(await auth.database.query("select id from sessions where ended_at is null")).toEqual([]);
    const failures = await auth.database.query(
      "select reason from audit_log where event = 'authn_login_fail' and actor = $1",
      [id],
    );
    expect(failures).toEqual([{ reason: "invalid_credentials" }]);
  });

  test("a person whose role is changed gets what the new one may", async () => {
    await using held = await heldSignIn();
    const { auth, id, admin } = held;
    const body = { role: "operator" };
    expect((await auth.send("PATCH", `/api/auth/users/${id}`, { token: admin, body })).status).toBe(200);
    expect((await readToken(await held.judge())).scope).toContain("keys:admin");
  });
});
