import { describe, expect, test } from "bun:test";
import { ConfigError } from "@vitrine/kit/config";
import { createBackoff } from "./backoff.ts";
import { parseConfig } from "./config.ts";
import { isExpected, outcomeOf } from "./outcome.ts";
import { makePopulation } from "./population.ts";
import { createRandom } from "./random.ts";
import { planDeliveries } from "./restocking.ts";

describe("outcome", () => {
  test.each([
    [200, "ok", true],
    [201, "ok", true],
    [401, "refused", true],
    [409, "refused", true],
    [429, "refused", true],
    [400, "refused", false],
    [403, "refused", false],
    [404, "refused", false],
    [500, "failed", false],
    [503, "failed", true],
  ] as const)("%p is %s; expected: %p", (status, outcome, expected) => {
    expect([outcomeOf(status), isExpected("order", status)]).toEqual([outcome, expected]);
  });
});

test.each([
  [200, false],
  [401, true],
  [403, true],
  [404, true],
  [429, true],
  [500, false],
])("an attack that is answered %p is what was hoped for: %p", (status, hopedFor) => {
  expect(isExpected("attack", status)).toBe(hopedFor);
});

describe("backoff", () => {
  test("rests twice as long after each failure, up to ten seconds, and not at all after an answer", () => {
    let time = 0;
    const backoff = createBackoff(() => time);
    const rests: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      backoff.failed();
      const from = time;
      while (backoff.isResting()) time += 50;
      rests.push(time - from);
    }
    expect(rests).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    backoff.failed();
    backoff.succeeded();
    expect(backoff.isResting()).toBe(false);
  });

  test("failures that come while it rests do not prolong it", () => {
    let time = 0;
    const backoff = createBackoff(() => time);
    backoff.failed();
    backoff.failed();
    time = 250;
    expect(backoff.isResting()).toBe(false);
  });
});

describe("deliveries", () => {
  const levels = Array.from({ length: 200 }, (_, index) => ({
    pieceId: `piece-${index}`,
    maison: null,
    kind: null,
    available: index % 20,
    reserved: 0,
    sold: 0,
  }));

  const limited = new Set(["piece-0", "piece-19"]);

  test("go to every piece that runs low and is no limited edition, and to no other", () => {
    const deliveries = planDeliveries(levels, limited, createRandom("a"));
    const low = levels
      .filter(({ pieceId, available }) => available <= 10 && !limited.has(pieceId))
      .map(({ pieceId }) => pieceId);
    expect(deliveries.map(({ pieceId }) => pieceId)).toEqual(low);
    expect(deliveries.every(({ quantity }) => quantity >= 10 && quantity <= 20)).toBe(true);
  });

  test("are the same for the same seed", () => {
    expect(planDeliveries(levels, limited, createRandom("a"))).toEqual(
      planDeliveries(levels, limited, createRandom("a")),
    );
  });
});

describe("population", () => {
  test("is the same for the same secret and seed, and shares neither name nor password with another", () => {
    const people = makePopulation(25, "seed", "secret-one");
    expect(makePopulation(25, "seed", "secret-one")).toEqual(people);
    for (const others of [makePopulation(25, "seed", "secret-two"), makePopulation(25, "other", "secret-one")]) {
      const all = [...people, ...others];
      expect(new Set(all.map(({ name }) => name)).size).toBe(50);
      expect(new Set(all.map(({ password }) => password)).size).toBe(50);
    }
  });

  test("fits the rules for names and passwords", () => {
    for (const { name, password } of makePopulation(1_000, "seed", "secret-one")) {
      expect(name).toMatch(/^customer-[0-9a-f]{6}-\d{3,4}$/);
      expect(password).toMatch(/^[\w-]{43}$/);
    }
  });
});

describe("config", () => {
  test("only the client must be given", () => {
    const config = parseConfig({ CLIENT_ID: "generator", CLIENT_SECRET: "a-test-secret" });
    expect(config).toMatchObject({
      gatewayUrl: "http://127.0.0.1:8080",
      http: { port: 8086 },
      tokens: { jwksUrl: "http://127.0.0.1:8080/.well-known/jwks.json" },
      faultInjection: false,
      traffic: { on: true, ratePerSecond: 4, dayMinutes: 60, customers: 25, seed: "vitrine" },
    });
  });

  test("every wrong variable is named at once", () => {
    const parse = () => parseConfig({ RATE_PER_SECOND: "0", TRAFFIC: "perhaps", CLIENT_ID: "generator" });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(/CLIENT_SECRET[^]*TRAFFIC[^]*RATE_PER_SECOND/);
  });
});
