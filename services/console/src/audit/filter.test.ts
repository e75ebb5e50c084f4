import { describe, expect, test } from "bun:test";
import { auditParameters, isPast, timesOf } from "./filter.tsx";

const nowMs = Date.parse("2026-11-21T08:00:00Z");
const parse = (values: Readonly<Record<string, string>>) => auditParameters.parse(values);

describe("the times auth is asked for", () => {
  const [early, late] = ["2026-11-20T06:00:00Z", "2026-11-20T07:30:15.500Z"];
  test.each([
    ["none", {}, {}],
    ["as a field writes them", { from: "2026-11-20T06:00", to: "2026-11-20T07:30:15.500" }, { from: early, to: late }],
    ["turned the wrong way round", { from: late, to: early }, { from: early, to: late }],
    ["left in the form beside a length", { from: early, to: late, last: "1h" }, { from: "2026-11-21T07:00:00.000Z" }],
    ["empty", { from: "", to: "", last: "" }, {}],
  ])("%s", (_, values, expected) => {
    const { from, to } = timesOf(parse(values), nowMs);
    expect({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }).toEqual(expected);
  });

  test("are read again as they were written, as a page's stream does", () => {
    const once = parse({ from: "2026-11-20T06:00", who: " anna " });
    expect(auditParameters.parse(once)).toEqual(once);
  });
});

test("a list goes on as long as something can be added to it", () => {
  expect(isPast(parse({}), nowMs)).toBe(false);
  expect(isPast(parse({ last: "1h" }), nowMs)).toBe(false);
  expect(isPast(parse({ to: "2026-11-21T08:00:01Z" }), nowMs)).toBe(false);
  expect(isPast(parse({ to: "2026-11-21T08:00:00Z" }), nowMs)).toBe(true);
  expect(isPast(parse({ cursor: "x" }), nowMs)).toBe(true);
});
