import { expect, test } from "bun:test";
import { type ScenarioName, sentReport } from "@vitrine/contracts/scenarios";
import { createReport } from "./report.ts";

const get = { method: "GET", route: "/api/catalog" };

test("counts what was sent by route, status and scenario, with the times of the first and the last", () => {
  let time = Date.parse("2026-11-21T08:00:00.000Z");
  let scenario: ScenarioName = "calm";
  const report = createReport(
    () => time,
    () => scenario,
  );
  report.sent(get, 200);
  time += 30_000;
  report.sent(get, 200);
  report.sent(get, 0);
  scenario = "sale";
  time += 60_000;
  report.sent(get, 503);
  report.skipped();
  const told = sentReport.parse(report.read([]));
  expect([told.total, told.skipped, told.startedAt]).toEqual([4, 1, "2026-11-21T08:00:00.000Z"]);
  const [first, last] = ["2026-11-21T08:00:00.000Z", "2026-11-21T08:00:30.000Z"];
  const sale = "2026-11-21T08:01:30.000Z";
  expect(told.counts).toEqual([
    { ...get, status: 200, scenario: "calm", count: 2, firstAt: first, lastAt: last },
    { ...get, status: 0, scenario: "calm", count: 1, firstAt: last, lastAt: last },
    { ...get, status: 503, scenario: "sale", count: 1, firstAt: sale, lastAt: sale },
  ]);
  expect(told.minutes).toEqual([
    { at: first, sent: 3, answered: 2, failed: 0 },
    { at: "2026-11-21T08:01:00.000Z", sent: 1, answered: 1, failed: 1 },
  ]);
});

test("keeps the minutes of the last two hours, and every count", () => {
  let time = 0;
  const report = createReport(
    () => time,
    () => "calm",
  );
  for (let minute = 0; minute < 200; minute += 1) {
    time = minute * 60_000;
    report.sent(get, 200);
  }
  const told = report.read([]);
  expect([told.total, told.minutes.length, told.minutes[0]?.at]).toEqual([200, 120, "1970-01-01T01:20:00.000Z"]);
});
