import { expect, test } from "bun:test";
import { createReloader } from "./reload.ts";
import { settle } from "./testing.ts";

function build() {
  const said: string[] = [];
  const events: string[] = [];
  const rounds: { readonly names: readonly string[]; readonly finish: () => void }[] = [];
  const reload = createReloader({
    stack: {
      rows: ["orders", "gateway"].map((name) => ({ name, kind: "service", state: "ready", status: "ready" })),
      restart: (names) => new Promise((finish) => rounds.push({ names: [...names], finish })),
    },
    output: { say: (text) => said.push(text) },
    event: ({ process }) => events.push(process),
  });
  return { reload, said, events, rounds };
}

test("a change is told and starts anew what reads it", () => {
  const { reload, said, events, rounds } = build();
  reload(new Set(["orders"]), ["services/orders/src/app.ts"]);
  expect(said).toEqual(["services/orders/src/app.ts has changed; starting anew: orders"]);
  expect(events).toEqual(["orders"]);
  expect(rounds.map((round) => round.names)).toEqual([["orders"]]);
});

test("what does not run here is not started by a change", () => {
  const { reload, said, rounds } = build();
  reload(new Set(["loki"]), ["loki/loki.yaml"]);
  expect(said).toEqual([]);
  expect(rounds).toEqual([]);
});

test("changes that come while processes start anew make one more round, not one each", async () => {
  const { reload, rounds } = build();
  reload(new Set(["orders"]), ["services/orders/src/app.ts"]);
  reload(new Set(["orders"]), ["services/orders/src/app.ts"]);
  reload(new Set(["orders", "gateway"]), ["packages/kit/src/log.ts", "packages/kit/src/fetch.ts"]);
  expect(rounds).toHaveLength(1);
  rounds[0]?.finish();
  await settle();
  expect(rounds.map((round) => round.names)).toEqual([["orders"], ["orders", "gateway"]]);
  rounds[1]?.finish();
  await settle();
  expect(rounds).toHaveLength(2);
});
