import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { linksOf } from "./links.ts";
import { createRunbooks, toFirstLook } from "./runbooks.ts";

const directory = join(import.meta.dir, "../../../../docs/runbooks");

test("every runbook there is says what to look at first, in a few short lines", async () => {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".md")).map((name) => name.slice(0, -3));
  expect(names.length).toBeGreaterThan(20);
  const runbooks = createRunbooks(directory);
  for (const name of names) {
    const rows = await runbooks.firstLook(name);
    expect(rows.length, name).toBeGreaterThan(0);
    for (const row of rows) expect(row).not.toMatch(/^[-*]|`/);
  }
});

test("only the section is taken, without the marks of its list", () => {
  const text = "# A\n\n## First look\n\n- One `query` here.\n1. Two\n\n## Mend\n\n- Three";
  expect(toFirstLook(text)).toEqual(["One query here.", "Two"]);
  expect(toFirstLook("# A\n\ntext")).toEqual([]);
});

test("an alert's name is no path, and an alert without a runbook has none", async () => {
  const runbooks = createRunbooks(directory);
  for (const name of ["../../README", "..", "", "a/b", "HighErrorRate.md", "x".repeat(200), "NoSuchAlert"])
    expect(await runbooks.find(name)).toBeUndefined();
  expect(await createRunbooks(undefined).firstLook("HighErrorRate")).toEqual([]);
});

test("links of rules are taken as they are if they are of http, and are Vitrine's own otherwise", () => {
  const links = (annotations: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}) =>
    linksOf("https://vitrine.test", { name: "A", fingerprint: "aa", labels, annotations });
  expect(links({ runbook_url: "https://wiki.test/a", dashboard_url: "https://grafana.test/d/x" })).toEqual({
    runbook: "https://wiki.test/a",
    dashboard: "https://grafana.test/d/x",
    console: "https://vitrine.test/alerts?fingerprint=aa",
    silence: "https://vitrine.test/alerts?fingerprint=aa&silence=1",
  });
  expect(links({ runbook_url: "docs/runbooks/A.md" }).runbook).toBe("https://vitrine.test/api/notifier/runbooks/A");
  for (const evil of ["javascript:alert(1)", "data:text/html,x", "http://[", "", `https://x.test/${"x".repeat(3_000)}`])
    expect(links({ runbook_url: evil, dashboard_url: evil })).toMatchObject({ runbook: null, dashboard: null });
  expect(links({}, { trace_id: "0af7651916cd43dd8448eb211c80319c" }).console).toEndWith(
    "/requests/0af7651916cd43dd8448eb211c80319c",
  );
  expect(links({}, { request_id: "../../x" }).console).toContain("/alerts?");
});
