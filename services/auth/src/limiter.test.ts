import { expect, test } from "bun:test";
import { createLimiter } from "./limiter.ts";

test("no more work runs at once than allowed, and all of it gets its turn in order", async () => {
  const limited = createLimiter({ concurrency: 2, maxWaiting: 10 });
  const finished: number[] = [];
  let running = 0;
  let most = 0;
  const work = (id: number) => async () => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    finished.push(id);
  };
  await Promise.all([1, 2, 3, 4, 5, 6].map((id) => limited(work(id))));
  expect(most).toBe(2);
  expect(finished).toEqual([1, 2, 3, 4, 5, 6]);
});

test("work past the bound is refused as busy with Retry-After, and there is room again once some is done", async () => {
  const limited = createLimiter({ concurrency: 1, maxWaiting: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = limited(() => promise);
  const waiting = limited(async () => "waited");
  await expect(limited(async () => "too much")).rejects.toMatchObject({
    code: "unavailable",
    reason: "busy",
    headers: { "retry-after": "2" },
  });
  resolve();
  await running;
  expect(await waiting).toBe("waited");
  expect(await limited(async () => "room")).toBe("room");
});

test("work that fails gives its place back", async () => {
  const limited = createLimiter({ concurrency: 1, maxWaiting: 0 });
  await expect(limited(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await limited(async () => "next")).toBe("next");
});
