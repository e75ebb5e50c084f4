import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { problem } from "@vitrine/contracts/problem";
import { z } from "zod";
import { bestOfThree, eventually, until } from "@vitrine/kit/testing/eventually";
import { type Gateway, type Identity, startIdentity } from "./identity.ts";

let identity: Identity;

beforeAll(async () => {
  identity = await startIdentity();
}, 120_000);

afterAll(() => identity?.stop());

// Whatever a test came to, the next one finds everything connected.
afterEach(() => identity.cable.mend());

const sessions = z.object({ items: z.array(z.object({ id: z.string(), current: z.boolean() })) });

/** Milliseconds until every gateway answers so; asked one by one, so that each says it for itself. */
async function everywhere(
  status: number,
  ask: (gateway: Gateway) => Promise<number>,
  gateways: readonly Gateway[] = identity.gateways,
): Promise<number> {
  const startedAt = performance.now();
  await Promise.all(
    gateways.map((gateway, at) =>
      eventually(`${status} at gateway ${at}`, 20_000, async () => (await ask(gateway)) === status),
    ),
  );
  return performance.now() - startedAt;
}

test("a body that is larger than auth takes is told so in the form of every other refusal, and one that is not arrives", async () => {
  const [gateway] = identity.gateways;
  const answers: unknown[] = [];
  for (const bytes of [65_536, 65_537, 200_000]) {
    const response = await fetch(`${gateway?.url}/api/auth/refresh`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ refresh_token: "x" }).padEnd(bytes),
    });
    const { code } = problem.parse(await response.json());
    answers.push([response.status, code]);
  }
  const tooLarge = [413, "payload_too_large"];
  expect(answers).toEqual([[401, "invalid_token"], tooLarge, tooLarge]);
});

describe("what is taken back is refused within a second at every gateway process", () => {
  test("an ingest key", async () => {
    const admin = await identity.signInAsAdmin();
    const took = await bestOfThree(1_000, async () => {
      const { id, key } = await identity.makeKey(admin);
      await everywhere(200, (gateway) => gateway.write(key));
      const revoked = identity.call("DELETE", `/api/auth/ingest-keys/${id}`, admin);
      const ms = await everywhere(401, (gateway) => gateway.write(key));
      expect((await revoked).status).toBe(204);
      return ms;
    });
    expect(took).toBeLessThan(1_000);
  }, 60_000);

  test("a session that its owner ends, and every session of a person who is disabled", async () => {
    const admin = await identity.signInAsAdmin();
    const took = await bestOfThree(1_000, async () => {
      const owner = await identity.person();
      const tokens = [await identity.signIn(owner), await identity.signIn(owner)];
      const [ended = "", kept = ""] = tokens;
      for (const token of tokens) await everywhere(200, (gateway) => gateway.read(token));
      const logout = identity.call("POST", "/api/auth/logout", ended);
      const endedMs = await everywhere(401, (gateway) => gateway.read(ended));
      expect((await logout).status).toBe(204);
      for (const gateway of identity.gateways) expect(await gateway.read(kept)).toBe(200);

      const { body } = await identity.call("GET", "/api/auth/me", kept);
      const { id } = z.object({ id: z.string() }).parse(body);
      const disabling = identity.call("PATCH", `/api/auth/users/${id}`, admin, { disabled: true });
      const disabledMs = await everywhere(401, (gateway) => gateway.read(kept));
      expect((await disabling).status).toBe(200);
      return Math.max(endedMs, disabledMs);
    });
    expect(took).toBeLessThan(1_000);
  }, 60_000);

  test("a signing key that leaked, with all it signed, while what the new one signs is taken", async () => {
    const owner = await identity.person();
    const took = await bestOfThree(1_000, async () => {
      const old = await identity.signIn(owner);
      const admin = await identity.signInAsAdmin();
      await everywhere(200, (gateway) => gateway.read(old));
      const rotated = identity.call("POST", "/api/auth/signing-keys", admin, { mode: "compromised" });
      const ms = await everywhere(401, (gateway) => gateway.read(old));
      expect((await rotated).status).toBe(201);
      expect((await identity.call("GET", "/api/auth/me", old)).status).toBe(401);
      const fresh = await identity.signIn(owner);
      await everywhere(200, (gateway) => gateway.read(fresh));
      expect((await identity.call("GET", "/api/auth/me", fresh)).status).toBe(200);
      return ms;
    });
    expect(took).toBeLessThan(1_000);
  }, 60_000);
});

describe("a gateway whose feed is cut for a minute", () => {
  const cutMs = 60_000;
  const rounds = 20;

  test("goes on by what it knew, and afterwards misses nothing that was taken back or made meanwhile", async () => {
    const { call, cable, far, gateways } = identity;
    const near = gateways.filter((gateway) => gateway !== far);
    const admin = await identity.signInAsAdmin();
    const owner = await identity.person();
    const kept = await identity.signIn(owner);
    const tokens: string[] = [];
    for (let round = 0; round < rounds; round += 1) tokens.push(await identity.signIn(owner));
    const { items } = sessions.parse((await call("GET", "/api/auth/sessions", kept)).body);
    const sessionIds = items.filter(({ current }) => !current).map(({ id }) => id);
    expect(sessionIds).toHaveLength(rounds);
    const keys = await Promise.all(tokens.map(() => identity.makeKey(admin)));
    const [before, stays] = [await identity.makeKey(admin), await identity.makeKey(admin)];
    await call("DELETE", `/api/auth/ingest-keys/${before.id}`, admin);
    for (const { key } of [...keys, stays]) await everywhere(200, (gateway) => gateway.write(key));
    for (const token of [...tokens, kept]) await everywhere(200, (gateway) => gateway.read(token));

    cable.cut();
    const cutAt = performance.now();
    const made: string[] = [];
    const took: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [sessionId = "", { id, key } = stays] = [sessionIds[round], keys[round]];
      expect((await call("DELETE", `/api/auth/sessions/${sessionId}`, kept)).status).toBe(204);
      expect((await call("DELETE", `/api/auth/ingest-keys/${id}`, admin)).status).toBe(204);
      took.push(await everywhere(401, (gateway) => gateway.write(key), near));
      made.push((await identity.makeKey(admin)).key);
      expect(await far.read(kept)).toBe(200);
      expect(await far.write(stays.key)).toBe(200);
      expect(await far.write(before.key)).toBe(401);
      const nextAt = cutAt + ((round + 1) * cutMs) / rounds;
      while (performance.now() < nextAt) await Bun.sleep(nextAt - performance.now());
    }
    expect(performance.now() - cutAt).toBeGreaterThanOrEqual(cutMs);
    // Whose feed is whole knows within a second, as ever.
    expect(took.toSorted((a, b) => a - b)[rounds / 2]).toBeLessThan(1_000);
    // Not 401: a key nobody there has heard of may be a new one.
    expect(await far.write(made[0] ?? "")).toBe(503);
    expect(await (await fetch(`${far.url}/health/ready`)).text()).toContain("no answer for");

    cable.mend();
    await until(async () => (await far.write(made.at(-1) ?? "")) === 200);
    for (const key of made) expect(await far.write(key)).toBe(200);
    for (const { key } of keys) expect(await far.write(key)).toBe(401);
    for (const token of tokens) expect(await far.read(token)).toBe(401);
    expect([await far.write(stays.key), await far.read(kept)]).toEqual([200, 200]);
  }, 180_000);
});

test("without the database of auth people hear 503 with Retry-After, tokens go on, and nothing has to be started anew", async () => {
  const { call, postgres, auth, gateways } = identity;
  const owner = await identity.person();
  const token = await identity.signIn(owner);
  const { key } = await identity.makeKey(await identity.signInAsAdmin());
  await everywhere(200, (gateway) => gateway.write(key));
  await postgres.stopServer();
  const refused = await call("POST", "/api/auth/login", undefined, owner);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
  await until(async () => (await fetch(`${auth.url}/health/ready`)).status === 503);
  expect((await fetch(`${auth.url}/health/live`)).status).toBe(200);
  for (const gateway of gateways) {
    expect(await gateway.read(token)).toBe(200);
    expect(await gateway.write(key)).toBe(200);
  }
  await postgres.startServer();
  await until(async () => (await fetch(`${auth.url}/health/ready`)).status === 200);
  const again = await identity.signIn(owner);
  expect((await call("POST", "/api/auth/logout", again)).status).toBe(204);
  await everywhere(401, (gateway) => gateway.read(again));
  for (const { child } of [auth, ...gateways]) expect(child.exitCode).toBeNull();
}, 60_000);
