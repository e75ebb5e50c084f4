import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type FaultName, faultNames } from "@vitrine/contracts/faults";
import { z } from "zod";
import { eventually } from "@vitrine/kit/testing/eventually";
import { type Stack, startStack } from "./stack.ts";

/**
 * Every fault in a whole running system, by the metric it is meant to move, as Prometheus tells it. Some four minutes, so
 * only with STACK_FAULTS=on; each is tested in its service all the same.
 */
const isWanted = Bun.env["STACK_FAULTS"] === "on";

const noticeableMs = 30_000;

setDefaultTimeout(300_000);

const shop = 'service_name=~"orders|inventory",http_route!~".*faults.*"';
const quantile = (of: number) =>
  `histogram_quantile(${of}, sum by (le) (rate(http_server_request_duration_seconds_bucket{${shop}}[15s])))`;
const answered = (status: number) =>
  `sum(rate(http_server_request_duration_seconds_count{${shop},http_response_status_code="${status}"}[15s]))`;
const slowQueries = 'sum(rate(db_slow_queries_total{service_name=~"orders|inventory"}[15s]))';
const signIns = 'sum(rate(auth_attempts_total{auth_method="password",auth_outcome="success"}[15s]))';
const inUse = 'max(db_client_connection_count{service_name=~"orders|inventory",db_client_connection_state="used"})';
const memory = 'max(process_memory_usage_bytes{service_name=~"orders|inventory"})';

/** What each fault moves, and beyond what. */
const moves: Readonly<Record<FaultName, readonly [query: string, beyond: number]>> = {
  latency: [quantile(0.5), 0.5],
  tail_latency: [quantile(0.99), 2],
  errors: [answered(500), 0.2],
  slow_sql: [slowQueries, 0.3],
  pool_exhaustion: [inUse, 8.5],
  lock_contention: [slowQueries, 0.1],
  memory_pressure: [memory, 350e6],
  inventory_down: [answered(503), 0.1],
  clock_skew: [signIns, 1],
};

const answer = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

let stack: Stack;
let token: string;

async function value(query: string): Promise<number> {
  const url = `${stack.gateway}/prometheus/api/v1/query?${new URLSearchParams({ query }).toString()}`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const [first] = answer.parse(await response.json()).data.result;
  const number = Number(first?.value[1] ?? 0);
  return Number.isNaN(number) ? 0 : number;
}

async function run(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await stack.command("dev/cli.ts", ...args);
  expect(code, stderr).toBe(0);
}

describe.skipIf(!isWanted)("in a running system", () => {
  beforeAll(async () => {
    stack = await startStack();
    await eventually("the whole system is up", 600_000, async () => {
      token = await stack.token();
      return (await value("sum(fault_active)")) === 0 && (await value("count(fault_active)")) > 0 ? true : undefined;
    });
    await eventually("the generator takes a scenario", 60_000, async () =>
      (await stack.command("dev/cli.ts", "scenario", "calm", "--rate", "12")).code === 0 ? true : undefined,
    );
    await eventually("customers come", noticeableMs, async () => (await value(quantile(0.5))) > 0);
  }, 900_000);
  afterAll(() => stack.stop());

  test.each(faultNames.map((name) => [name]))(
    "%s moves its metric within thirty seconds, and its end moves it back",
    async (name) => {
      const [query, beyond] = moves[name];
      const isMoved = async () => (await value(query)) > beyond;
      await eventually("it is calm before", noticeableMs, async () => ((await isMoved()) ? undefined : true));
      await run("fault", name, "on", "--for", "5m");
      await eventually(`${name} is seen in ${query}`, noticeableMs, async () => await isMoved());
      await run("fault", name, "off");
      await eventually(`${name} is gone from ${query}`, noticeableMs, async () =>
        (await isMoved()) ? undefined : true,
      );
      await eventually("no fault is on", noticeableMs, async () =>
        (await value("sum(fault_active)")) === 0 ? true : undefined,
      );
    },
  );
});
