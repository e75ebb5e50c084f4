import { expect, test } from "bun:test";
import { type AttackName, attackWeights, type Loot, makeAttack } from "./attacks.ts";
import { createRandom } from "./random.ts";

const random = createRandom("attacks");
const loot: Loot = { random, names: ["customer-1"], token: () => "aaa.bbb.ccc", expiredToken: () => "old.old.old" };
const poor: Loot = { ...loot, token: () => undefined, expiredToken: () => undefined };
const names = Object.keys(attackWeights) as AttackName[];

test("no attack is ever taken for a customer's own doing", () => {
  for (const name of names)
    expect(makeAttack(name, loot)).toMatchObject({ action: "attack", agent: "python-requests/2.32.3" });
});

test("a forged token is never the token it was made from", () => {
  const forged = Array.from({ length: 50 }, () => makeAttack("forge_token", loot)?.token);
  expect(forged).not.toContain("aaa.bbb.ccc");
  expect(new Set(forged).size).toBe(3);
});

test("what needs a token that nobody has been robbed of yet is left", () => {
  for (const name of ["forge_token", "replay_expired", "probe_scopes"] as const)
    expect(makeAttack(name, poor)).toBeUndefined();
});

test("the same seed makes the same attacks", () => {
  const make = () => {
    const own = { ...loot, random: createRandom("same") };
    return Array.from({ length: 20 }, () => names.map((name) => makeAttack(name, own)));
  };
  expect(make()).toEqual(make());
});
