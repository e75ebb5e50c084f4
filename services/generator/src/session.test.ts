import { beforeEach, describe, expect, test } from "bun:test";
import type { Answer, GatewayRequest } from "./gateway.ts";
import { createDoor, createSession, type Door } from "./session.ts";

const identity = { name: "customer-1", password: "not-a-real-password" };

let time: number;
let asked: GatewayRequest[];
let answers: Record<string, (Answer | undefined)[]>;
let skewMs: number;

beforeEach(() => {
  time = 1_000_000_000;
  asked = [];
  answers = {};
  skewMs = 0;
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
let tokens = 0;

/** A sign-in whose token is good for fifteen minutes from now. */
function signedIn(): Answer {
  const token = `${encode({ alg: "EdDSA" })}.${encode({ exp: time / 1_000 + 900, jti: (tokens += 1) })}.signature`;
  return { status: 200, body: { access_token: token, token_type: "Bearer", expires_in: 900, scope: "orders:read" } };
}

/** A gateway that gives the prepared answers by path, the last one for ever. */
function newSession(isNewWorld = false, door: Door = createDoor(1)) {
  const send = async (request: GatewayRequest) => {
    asked.push(request);
    const prepared = answers[request.path] ?? [];
    return prepared.length > 1 ? prepared.shift() : prepared[0];
  };
  return createSession({
    identity,
    gateway: { send, isResting: () => false },
    isNewWorld: () => isNewWorld,
    now: () => time,
    skewMs: () => skewMs,
    door,
  });
}

const paths = () => asked.map(({ path }) => path.replace("/api/auth/", ""));

describe("the account of a customer", () => {
  test("is registered before the first sign-in in a world that is new: nobody is refused", async () => {
    answers = { "/api/auth/register": [{ status: 201, body: {} }], "/api/auth/login": [signedIn()] };
    const session = newSession(true);
    expect(await session.token()).toBeString();
    session.forget();
    await session.token();
    expect(paths()).toEqual(["register", "login", "login"]);
  });

  test("is registered when it turns out to be unknown in a world that is not", async () => {
    answers = {
      "/api/auth/login": [{ status: 401, body: {} }, signedIn()],
      "/api/auth/register": [{ status: 201, body: {} }],
    };
    expect(await newSession().token()).toBeString();
    expect(paths()).toEqual(["login", "register", "login"]);
  });

  test("is signed in to once for many at once, and again only when the token is about to expire", async () => {
    answers = { "/api/auth/login": [signedIn()] };
    const session = newSession();
    const given = await Promise.all(Array.from({ length: 5 }, () => session.token()));
    expect(new Set(given).size).toBe(1);
    time += 869_000;
    await session.token();
    expect(paths()).toEqual(["login"]);
    answers = { "/api/auth/login": [signedIn()] };
    time += 2_000;
    await session.token();
    expect(paths()).toEqual(["login", "login"]);
  });

  test("waits for its next wish while as many as may are signing in, and nothing is sent", async () => {
    answers = { "/api/auth/login": [signedIn()] };
    const door = createDoor(2);
    const sessions = Array.from({ length: 3 }, () => newSession(false, door));
    const given = await Promise.all(sessions.map((session) => session.token()));
    expect(given.map((token) => token !== undefined)).toEqual([true, true, false]);
    expect(paths()).toEqual(["login", "login"]);
    expect(await sessions[2]?.token()).toBeString();
  });

  test("cannot be signed in to: nothing else is sent, and there is a pause before the next try", async () => {
    answers = { "/api/auth/login": [undefined] };
    const session = newSession();
    expect(await session.token()).toBeUndefined();
    expect(await session.token()).toBeUndefined();
    expect(paths()).toEqual(["login"]);
    time += 15_000;
    await session.token();
    expect(paths()).toEqual(["login", "login"]);
  });

  test("is signed in to again and again by a clock that goes ahead, and too late by one that is behind", async () => {
    answers = { "/api/auth/login": [signedIn()] };
    const session = newSession();
    await session.token();
    skewMs = 1_200_000;
    for (let count = 0; count < 3; count += 1) await session.token();
    expect(paths()).toHaveLength(4);
    skewMs = -1_200_000;
    time += 1_000_000;
    await session.token();
    expect(paths()).toHaveLength(4);
  });

  test("gives thieves the token it has, and the one before only once that has expired", async () => {
    const first = signedIn();
    answers = { "/api/auth/login": [first] };
    const session = newSession();
    expect(session.stolen()).toEqual({});
    const old = await session.token();
    expect(session.stolen()).toEqual({ good: old ?? "" });
    session.forget();
    time += 500_000;
    answers = { "/api/auth/login": [signedIn()] };
    const good = await session.token();
    expect(session.stolen()).toEqual({ good: good ?? "" });
    time += 500_000;
    expect(session.stolen()).toEqual({ good: good ?? "", expired: old ?? "" });
  });
});
