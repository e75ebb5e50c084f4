import { expect, test } from "bun:test";
import { startAuth } from "./testing/start-auth.ts";

const pairs = 200;

test("the time of a refused sign-in does not tell whether somebody has the name", async () => {
  await using auth = await startAuth();
  const password = "an orchid in the window";
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
