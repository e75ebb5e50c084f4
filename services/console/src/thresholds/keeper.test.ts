import { expect, test } from "bun:test";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { keepThresholds } from "./keeper.ts";

test("a database that comes late is prepared once it is there, and its absence is said once", async () => {
  const { logger, lines } = memoryLogger("console");
  const stopping = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  let attempts = 0;
  const kept = keepThresholds({
    migrate: async () => {
      attempts += 1;
      if (attempts < 2) throw new Error("connection refused");
    },
    thresholds: {
      refresh: async () => {
        resolve();
      },
    },
    logger,
    stopping: stopping.signal,
  });
  await promise;
  stopping.abort();
  await kept;
  expect(attempts).toBe(2);
  expect(lines.filter((line) => JSON.stringify(line).includes("thresholds cannot be read"))).toHaveLength(1);
});
