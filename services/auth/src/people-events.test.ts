import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestTelemetry, type TestTelemetry } from "@vitrine/kit/testing/telemetry";
import { quickPasswords, readToken, startAuth } from "./testing/start-auth.ts";

let telemetry: TestTelemetry;

beforeAll(() => {
  telemetry = startTestTelemetry();
});

afterAll(() => telemetry.stop());

async function valueOf(metric: string, attributes: Readonly<Record<string, string>>): Promise<number> {
  const points = await telemetry.points(metric);
  const same = points.filter((point) =>
    Object.entries(attributes).every(([name, value]) => point.attributes[name] === value),
  );
  return same.reduce((sum, { value }) => sum + value, 0);
}

test("what people do, and what is refused to them, is counted by kind and reason, without a name in it", async () => {
  await using auth = await startAuth({ passwordFunction: quickPasswords });
  const password = "an orchid in the window";
  const signIn = (given: string) => auth.json("/api/auth/login", { name: "somebody", password: given });
  await auth.json("/api/auth/register", { name: "somebody", password });
  const { access_token: token, refresh_token } = await readToken(await signIn(password));
  for (let index = 0; index < 9; index += 1)
    await auth.send("POST", "/api/auth/login", {
      address: "203.0.113.66",
      body: { name: "somebody", password: `guess ${index}` },
    });
  for (let index = 0; index < 2; index += 1) await auth.send("POST", "/api/auth/refresh", { body: { refresh_token } });
  const again = (await readToken(await signIn(password))).access_token;
  await auth.send("POST", "/api/auth/password", {
    token: again,
    body: { currentPassword: password, newPassword: "a lily on the water" },
  });
  await auth.send("GET", "/api/auth/users", { token: again });
  await auth.me(token);
  await auth.me("not-a-token");

  const expected: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ["auth.attempts", { "auth.method": "registration", "auth.outcome": "success" }, 1],
    ["auth.attempts", { "auth.method": "password", "auth.outcome": "success" }, 2],
    ["auth.attempts", { "auth.method": "password", "auth.failure_reason": "invalid_credentials" }, 6],
    ["auth.attempts", { "auth.method": "password", "auth.failure_reason": "throttled" }, 3],
    ["auth.attempts", { "auth.method": "refresh_token", "auth.outcome": "success" }, 1],
    ["auth.attempts", { "auth.method": "refresh_token", "auth.failure_reason": "token_reused" }, 1],
    ["auth.throttled", { limit: "account_and_address" }, 3],
    ["auth.suspicions", { reason: "many_failures" }, 1],
    ["auth.token.reuse", {}, 1],
    ["auth.token.refusals", { reason: "revoked" }, 1],
    ["auth.token.refusals", { reason: "malformed_token" }, 1],
    ["auth.password.changes", { "auth.outcome": "success" }, 1],
    ["auth.authorization.violations", { reason: "insufficient_scope" }, 1],
  ];
  for (const [metric, attributes, value] of expected)
    expect([metric, attributes, await valueOf(metric, attributes)]).toEqual([metric, attributes, value]);
});
