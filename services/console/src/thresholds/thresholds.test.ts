import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { thresholdNames } from "@vitrine/contracts/telemetry";
import { type ThresholdName, thresholds as definitions } from "@vitrine/contracts/thresholds";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { startThresholds } from "../testing/start-thresholds.ts";
import { createThresholds } from "./thresholds.ts";

const started = await startThresholds();
const { database, thresholds } = started;

const ruleFiles = ["database", "host", "security", "service"].map((name) =>
  Bun.file(join(import.meta.dir, `../../../../prometheus/rules/${name}.rules.yaml`)).text(),
);
const rules = (await Promise.all(ruleFiles)).join("\n");

beforeEach(async () => {
  await database.query("delete from thresholds");
  await database.query("delete from threshold_changes");
  await thresholds.refresh();
});
afterAll(() => database.close());

const everyone = (name: ThresholdName, value: number | null) => ({ name, value, scope: "everyone" }) as const;
const own = (name: ThresholdName, value: number | null) => ({ name, value, scope: "own" }) as const;

test("a threshold set for everyone is told as a metric at once, and its default again once it is taken back", async () => {
  await thresholds.change(everyone("error_ratio", 0.2), "admin");
  expect(thresholds.told().get("error_ratio")).toBe(0.2);
  await thresholds.change(everyone("error_ratio", null), "admin");
  expect(thresholds.told().get("error_ratio")).toBe(definitions.error_ratio.default);
});

test("one's own are nobody else's, and no metric", async () => {
  await thresholds.change(own("memory_bytes", 2_000_000), "anna");
  expect(thresholds.told().get("memory_bytes")).toBe(definitions.memory_bytes.default);
  const of = async (person: string) =>
    (await thresholds.list(person)).items.find(({ name }) => name === "memory_bytes")?.own;
  expect(await of("anna")).toBe(2_000_000);
  expect(await of("berta")).toBeNull();
  expect((await thresholds.list("berta")).history).toEqual([]);
});

test("the history says who changed what from what to what, the newest first, and nothing of what changed nothing", async () => {
  await thresholds.change(everyone("cpu_ratio", 0.5), "admin");
  await thresholds.change(everyone("cpu_ratio", 0.5), "admin");
  await thresholds.change(own("cpu_ratio", 0.4), "anna");
  await thresholds.change(everyone("cpu_ratio", null), "other");
  const { history } = await thresholds.list("anna");
  expect(history.map(({ scope, before, after, changedBy }) => [scope, before, after, changedBy])).toEqual([
    ["everyone", 0.5, null, "other"],
    ["own", null, 0.4, "anna"],
    ["everyone", null, 0.5, "admin"],
  ]);
});

test("of a person's own changes the last hundred are kept, of those for everyone all", async () => {
  for (let value = 1; value <= 120; value += 1) {
    await thresholds.change(own("slow_queries_per_minute", value), "anna");
    await thresholds.change(everyone("slow_queries_per_minute", value), "admin");
  }
  const rows = await database.query<{ owner: string; count: string }>(
    "select owner, count(*)::text as count from threshold_changes group by owner order by owner",
  );
  expect(rows.map(({ owner, count }) => [owner, count])).toEqual([
    ["", "120"],
    ["anna", "100"],
  ]);
});

test("changes at once lose none: each says the value that the one before it left", async () => {
  await Promise.all(
    Array.from({ length: 8 }, (_, at) => thresholds.change(everyone("latency_p95_seconds", at + 1), "admin")),
  );
  const { history } = await thresholds.list("admin");
  expect(history).toHaveLength(8);
  const befores = history.map(({ before }) => before).filter((before) => before !== null);
  expect(new Set(befores).size).toBe(7);
});

test("another process tells what was changed in this one after it has looked again", async () => {
  const other = createThresholds({
    database,
    logger: memoryLogger("console").logger,
    now: Date.now,
    newId: () => Bun.randomUUIDv7(),
  });
  expect(other.told().size).toBe(0);
  await thresholds.change(everyone("error_ratio", 0.3), "admin");
  await other.refresh();
  expect(other.told().get("error_ratio")).toBe(0.3);
});

describe("the definitions", () => {
  test.each([...thresholdNames])(
    "%s has the default of the rules, within its limits, and names their alerts",
    (name) => {
      const { default: value, min, max, alerts } = definitions[name];
      const [, told] =
        new RegExp(`threshold:${name}:current\\s+expr: [\\s\\S]*?vector\\(([0-9.]+)\\)`).exec(rules) ?? [];
      expect(Number(told)).toBe(value);
      expect(value).toBeGreaterThanOrEqual(min);
      expect(value).toBeLessThanOrEqual(max);
      const comparing = rules
        .split(/^ +- (?=alert:|record:)/m)
        .filter((rule) => rule.startsWith("alert:") && rule.includes(`threshold:${name}:current`))
        .map((rule) => /^alert: (\w+)/.exec(rule)?.[1] ?? "");
      expect([...alerts].toSorted()).toEqual(comparing.toSorted());
    },
  );
});
