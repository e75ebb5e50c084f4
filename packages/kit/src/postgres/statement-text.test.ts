import { describe, expect, test } from "bun:test";
import { createFuzz } from "../testing/fuzz.ts";
import { sanitizeStatement } from "./statement-text.ts";

test.each([
  ["parameters and names", `select t1.a2, "Col 3" from t$1 where id = $1 and b = $12`],
  ["operators", "select a->b #>> c || d, a-b, a/b, a*b from t"],
  ["names that are not of ASCII", "select größe from straße2"],
  ["keywords", "insert into t (a, b) values ($1, null) on conflict do nothing"],
])("%s stay as they are", (_, text) => {
  expect(sanitizeStatement(text)).toBe(text);
});

test.each([
  ["select 'anna', 'it''s'", "select ?, ?"],
  ["select ''", "select ?"],
  [String.raw`select 'a\', secret`, "select ?, secret"],
  [String.raw`select E'a\'b''c', e'\\', secret`, "select ?, ?, secret"],
  [`select B'01', x'FF', N'anna', U&'d\\0061t'`, "select ?, ?, ?, U&?"],
  ["select date '2026-01-01', note'x'", "select date ?, note?"],
  ["select 1, -2.5, .5, 5., 1e10, 1.5E-3, 1_000, 0xFF, 0o17, 0b01", "select ?, -?, ?, ?, ?, ?, ?, ?, ?, ?"],
  ["select a[1], numeric(10,2) from t2 limit 10", "select a[?], numeric(?,?) from t2 limit ?"],
  ["select $$anna$$, $t$ $$ 'x' $t$, $1", "select ?, ?, $1"],
  ["select 'x'::text, data->>'name' = 'anna'", "select ?::text, data->>? = ?"],
  [`select "a""b" , 'c'`, `select "a""b" , ?`],
  ["select 1 -- of anna\nfrom t -- 'x", "select ? from t"],
  ["select /* of /* anna's */ order */ a /**/ from t", "select a from t"],
  ["\n select\n\t a\r\n from t ;", "select a from t ;"],
  ["", ""],
])("%j is kept as %j", (text, kept) => {
  expect(sanitizeStatement(text)).toBe(kept);
});

test.each(["'anna", "E'anna\\'", "$$anna", "$x$anna$y$", '"anna', "/* anna /* */", "-- anna", "x'anna"])(
  "%s, which nobody closes, is a literal to its end",
  (open) => {
    expect(sanitizeStatement(`select a, ${open} and more`)).not.toMatch(/anna|more/);
  },
);

test("a literal among whatever else is told by its place alone", () => {
  const fuzz = createFuzz(Math.floor(Math.random() * 2 ** 32));
  const literals = ["'anna'", "'an''na'", "E'anna\\''", "$$anna$$", "$q$anna'$q$", "4711", "47.11e3", "0x4711"];
  const noise = ["a", '"b 1"', "$1", "/* anna ' */", "-- anna $$ \n", "t2", "::text", "->>", "(", ")", "- ", "größe"];
  for (let round = 0; round < 2_000; round += 1) {
    const chosen = Array.from({ length: 8 }, () => fuzz.pick(fuzz.random() < 0.4 ? literals : noise));
    const kept = sanitizeStatement(chosen.join(" "));
    expect(kept).not.toMatch(/anna|4711/);
    expect(kept.split("?")).toHaveLength(chosen.filter((part) => literals.includes(part)).length + 1);
  }
});

describe("a statement of a mebibyte is read in time, whatever it is made of", () => {
  const unit = [
    "'",
    "''a",
    "\\'",
    "$",
    "$a",
    "$a$",
    "$a$$b$ ",
    "/*",
    "/**/",
    "*/",
    "--\n",
    "-",
    '"',
    "1",
    "1.",
    "1e",
    "_",
    "e'",
    "E'\\",
    "a ",
    "é",
    " ",
    "(1,'a'),",
  ];
  test.each(unit)("%j", (text) => {
    const statement = text.repeat(Math.ceil(2 ** 20 / text.length));
    const startedAt = performance.now();
    sanitizeStatement(statement);
    sanitizeStatement(`E'${statement}`);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
