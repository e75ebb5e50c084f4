import { expect, test } from "bun:test";
import { ServiceError } from "@vitrine/kit/errors";
import { createTestIssuer } from "@vitrine/kit/testing/tokens";
import { createForgeryGuard } from "./forgery-guard.ts";

const nobody = () => undefined;

/** A guard whose clock stands, and how often its verifier was asked. */
async function start(failure?: string) {
  const issuer = await createTestIssuer();
  let nowMs = Date.now();
  let asked = 0;
  const guard = createForgeryGuard({
    verifier: {
      ready: () => Promise.resolve(),
      verify: async (token) => {
        asked += 1;
        if (failure !== undefined) throw new ServiceError("invalid_token", undefined, { reason: failure });
        return await issuer.verifier.verify(token);
      },
    },
    failuresPerSecond: 0,
    now: () => nowMs,
  });
  const refusal = (token: string) => guard.verify(token, nobody).catch((error: unknown) => error);
  return { issuer, refusal, asked: () => asked, pass: (ms: number) => (nowMs += ms) };
}

test("a token found bad is not judged again for ten seconds, and then it is", async () => {
  const { issuer, refusal, asked, pass } = await start();
  const stranger = await createTestIssuer();
  const bad = [await stranger.sign("logs:write"), await issuer.sign("logs:write", { aud: "elsewhere" })];
  for (let round = 0; round < 3; round += 1) {
    for (const [at, token] of bad.entries())
      expect(await refusal(token)).toMatchObject({ reason: ["bad_signature", "wrong_audience"][at], status: 401 });
  }
  expect(asked()).toBe(2);
  pass(10_000);
  for (const token of bad) expect(await refusal(token)).toMatchObject({ status: 401 });
  expect(asked()).toBe(4);
});

test.each(["unknown_key", "not_yet_valid", "revoked", "malformed_token"])(
  "what may change, or costs nothing, is judged each time: %s",
  async (reason) => {
    const { refusal, asked } = await start(reason);
    for (let round = 0; round < 3; round += 1) expect(await refusal("a.b.c")).toMatchObject({ reason });
    expect(asked()).toBe(3);
  },
);

test("only so many are remembered", async () => {
  const { refusal, asked } = await start("bad_signature");
  for (let at = 0; at <= 2_000; at += 1) await refusal(`token-${at}`);
  await refusal("token-2000");
  expect(asked()).toBe(2_001);
  await refusal("token-0");
  expect(asked()).toBe(2_002);
});
