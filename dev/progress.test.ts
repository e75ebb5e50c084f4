import { expect, test } from "bun:test";
import { serviceNames } from "./process-names.ts";
import { showProgress } from "./progress.ts";
import type { ProcessRow } from "./stack.ts";
import { ManualClock, settle } from "./testing.ts";

const all = ["postgres", ...serviceNames];

/** Processes that settle when they are told to. */
function start(names: readonly string[] = all) {
  const settling = new Map(names.map((name) => [name, Promise.withResolvers<void>()]));
  const ready = new Set<string>();
  const rows = () =>
    names.map((name): ProcessRow => {
      const state = ready.has(name) ? "ready" : "starting";
      return { name, kind: "service", state, status: state };
    });
  const engines = Promise.withResolvers<void>();
  const stop = new AbortController();
  const clock = new ManualClock();
  const shown: string[] = [];
  const done = showProgress({
    stack: {
      settled: async (waited) => {
        await Promise.all(waited.map((name) => settling.get(name)?.promise));
      },
      isReady: (name) => ready.has(name),
      get rows() {
        return rows();
      },
    },
    clock,
    startedAtMs: clock.now(),
    engines: engines.promise,
    stop: stop.signal,
    show: (headline) => shown.push(headline),
  });
  const become = (...chosen: readonly string[]): void => {
    for (const name of chosen) {
      ready.add(name);
      settling.get(name)?.resolve();
    }
  };
  return { become, clock, done, engines, shown, stop };
}

test("where all comes at once the table is shown once", async () => {
  const { become, done, engines, shown } = start();
  engines.resolve();
  become(...all);
  await done;
  expect(shown).toEqual(["Everything is ready after 0.0 s"]);
});

test("a shop that is being filled does not keep the table from those who wait for its pages", async () => {
  const { become, clock, done, engines, shown } = start();
  engines.resolve();
  become(...all.filter((name) => name !== "generator"));
  await clock.advance(2_000);
  expect(shown).toEqual(["Services are ready after 2.0 s; the rest joins as it comes"]);
  become("generator");
  await done;
  expect(shown.at(-1)).toBe("Everything is ready after 2.0 s");
});

test("engines that are built join a table that was shown before", async () => {
  const { become, clock, done, engines, shown } = start();
  become(...all);
  await clock.advance(2_000);
  expect(shown).toHaveLength(1);
  engines.resolve();
  await done;
  expect(shown).toHaveLength(2);
});

test("nothing is shown of what is being stopped", async () => {
  const { become, clock, done, engines, shown, stop } = start();
  await settle();
  stop.abort();
  engines.resolve();
  become(...all);
  await clock.advance(0);
  await done;
  expect(shown).toEqual([]);
});
