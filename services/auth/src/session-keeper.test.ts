import { expect, test } from "bun:test";
import { createSessionKeeper } from "./session-keeper.ts";
import { createSessionStore } from "./store/sessions.ts";
import { createThrottle } from "./throttle.ts";
import { startAuth } from "./testing/start-auth.ts";

test("sessions are counted while they live, and removed a week after they are over", async () => {
  let clockMs = Date.now();
  await using auth = await startAuth({ now: () => clockMs, env: { SESSION_IDLE_MINUTES: "60" } });
  const credentials = { name: "somebody", password: "an orchid in the window" };
  await auth.json("/api/auth/register", credentials);
  for (let index = 0; index < 3; index += 1) await auth.json("/api/auth/login", credentials);
  const throttle = createThrottle(auth.database, () => clockMs);
  const store = createSessionStore(auth.database);
  expect(await store.countLive(clockMs)).toBe(3);
  clockMs += 3_600_000;
  expect(await store.countLive(clockMs)).toBe(0);

  const rows = async () => (await auth.database.query("select hash from refresh_tokens")).length;
  for (const [days, left] of [
    [6, 3],
    [2, 0],
  ] as const) {
    clockMs += days * 86_400_000;
    const keeper = createSessionKeeper({ ...auth, throttle, now: () => clockMs });
    keeper.start();
    await keeper.close();
    expect(await rows()).toBe(left);
  }
});
