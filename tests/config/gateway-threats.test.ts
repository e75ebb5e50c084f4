import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

test("every threat docs/gateway.md lists names tests that are there", async () => {
  const text = await Bun.file(join(root, "docs/gateway.md")).text();
  const [, section = ""] = text.split("## What it defends against");
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !/^\| (?:threat|-)/.test(line));
  expect(rows.length).toBeGreaterThan(25);
  for (const row of rows) {
    const named = [...row.matchAll(/`([^`]+\.test\.ts)`: (.+?)(?=<br>| +\|$)/g)];
    expect(named.length, row).toBeGreaterThan(0);
    for (const [, file = "", name = ""] of named) {
      const source = await Bun.file(join(root, file)).text();
      expect(source.includes(`"${name}"`), `${file}: ${name}`).toBe(true);
    }
  }
});
