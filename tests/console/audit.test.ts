import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { createIngestKey } from "../../services/auth/src/ingest-keys.ts";
import { ourselves } from "../../services/auth/src/caller.ts";
import type { TestAuth } from "../../services/auth/src/testing/start-auth.ts";
import { chromiumPath, complaintsOf, seriousViolations, whySkipped } from "./browser.ts";
import { openHouse } from "./house.ts";

/** Who did what to whom, as an auditor asks for it, with the real auth service. */

setDefaultTimeout(60_000);

const house = await openHouse({ auth: "real" });
const requestId = Bun.randomUUIDv7();
const caller = { ...ourselves, requestId };
const entry = { event: "authz_change", outcome: "success", action: "role_change", reason: "operator" } as const;
const hostile = `<img src=x onerror="window.broken=1">\u202E</a><script>window.broken=2</script>`;

const auth = (): TestAuth => {
  if (house.auth === undefined) throw new Error("the real auth service is not there");
  return house.auth;
};

async function person(name: string): Promise<string> {
  const id = Bun.randomUUIDv7();
  const values = [id, name];
  await auth().database.query(
    "insert into users (id, name, role, password_hash) values ($1, $2, 'viewer', '')",
    values,
  );
  return id;
}

/** Signs in, on the way to a page, and waits until it is drawn. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(`${house.url}/login?return=${encodeURIComponent(path)}`);
  await page.locator("#first-factor input[name=name]").fill("admin");
  await page.locator("#first-factor input[name=password]").fill("a password of the admin");
  await page.locator("#first-factor button.primary").click();
  await page.waitForURL(house.url + path);
  await drawn(page);
}

async function drawn(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelectorAll("[aria-busy]").length === 0);
}

const rows = (page: Page) => page.locator("#events tbody tr").allInnerTexts();

describe.skipIf(chromiumPath === undefined)(`the audit log${whySkipped}`, () => {
  const ids = { anna: "", berta: "" };

  beforeAll(async () => {
    ids.anna = await person("anna");
    ids.berta = await person("berta");
    await auth().audit.record(
      caller,
      { ...entry, actor: ids.anna, target: ids.berta },
      { ...entry, actor: ids.berta, target: ids.anna, outcome: "failure", reason: "last_admin" },
      { ...entry, actor: "orders", target: ids.berta },
    );
  });

  test("says by name who did what to whom, and a name leads to all of theirs by its id", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await open(page, "/audit?action=role_change");
    expect((await rows(page)).map((row) => row.split("\t").slice(2, 5))).toEqual([
      ["role_change operator", "orders client", "berta"],
      ["role_change last_admin", "berta", "anna"],
      ["role_change operator", "anna", "berta"],
    ]);
    const link = page.locator("#events tbody tr").nth(2).getByRole("link", { name: "anna" });
    expect(await link.locator("[title]").getAttribute("title")).toBe(ids.anna);
    await link.click();
    await page.waitForURL((url) => url.searchParams.get("who") === ids.anna);
    await drawn(page);
    expect(await page.inputValue("[name=who]")).toBe(ids.anna);
    expect(await page.inputValue("[name=action]")).toBe("role_change");
    expect(await rows(page)).toHaveLength(2);
    expect(await seriousViolations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("is narrowed by a form whose address shows another person the same", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    await open(page, "/audit");
    await page.fill("[name=who]", " Anna ");
    await page.selectOption("[name=event]", "authz_change");
    await page.selectOption("[name=outcome]", "failure");
    await page.fill("[name=action]", "role_change");
    await page.fill("[name=from]", "2026-01-01T00:00");
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForURL((url) => url.searchParams.get("outcome") === "failure");
    await drawn(page);
    const narrowed = await rows(page);
    expect(narrowed).toHaveLength(1);
    expect(narrowed[0]).toContain("last_admin");
    expect(await page.inputValue("[name=from]")).toBe("2026-01-01T00:00");

    await using other = await house.visit();
    const shared = await other.newPage();
    const { pathname, search } = new URL(page.url());
    await open(shared, pathname + search);
    expect(await rows(shared)).toEqual(narrowed);
    for (const [name, value] of Object.entries({ who: "Anna", event: "authz_change", outcome: "failure" }))
      expect([name, await shared.inputValue(`[name=${name}]`)]).toEqual([name, value]);

    await shared.fill("[name=to]", "2026-01-02T00:00:30");
    await shared.getByRole("button", { name: "Search" }).click();
    await shared.waitForURL((url) => url.searchParams.get("to") !== "");
    await drawn(shared);
    expect(await shared.locator("#events .empty").innerText()).toContain("Nothing like that");
    await shared.selectOption("[name=last]", "1h");
    await shared.getByRole("button", { name: "Search" }).click();
    await shared.waitForURL((url) => url.searchParams.get("last") === "1h");
    await drawn(shared);
    expect(await rows(shared)).toEqual(narrowed);
    expect(await shared.inputValue("[name=from]")).toBe("");
  });

  test("is turned page by page within what it is narrowed to, each row once", async () => {
    const carla = await person("carla");
    for (let index = 0; index < 3; index += 1)
      await auth().audit.record(
        caller,
        ...Array.from({ length: 50 }, (_, at) => ({
          ...entry,
          action: "turned",
          actor: carla,
          reason: `n${index * 50 + at}`,
        })),
      );
    await using context = await house.visit();
    const page = await context.newPage();
    await open(page, "/audit?who=carla&last=24h");
    const first = await rows(page);
    await page.getByRole("link", { name: "Older ones" }).click();
    await page.waitForURL((url) => url.searchParams.has("cursor"));
    await drawn(page);
    const all = [...first, ...(await rows(page))].map((row) => /n\d+/.exec(row)?.[0]);
    expect(all).toEqual(Array.from({ length: 150 }, (_, index) => `n${149 - index}`));
    expect(await page.getByRole("link", { name: "Older ones" }).count()).toBe(0);
  });

  test("shows who is gone by the id, and runs nothing of a name, a reason or an id", async () => {
    const gone = await person("diane");
    const made = await createIngestKey(
      auth(),
      { name: hostile, scopes: ["logs:write"], service: "shop" },
      ids.anna,
      caller,
    );
    expect(made).not.toBe("too_many_keys");
    await auth().audit.record(
      caller,
      { ...entry, action: "hostile", actor: await person(hostile), target: gone },
      { ...entry, action: hostile, actor: ids.anna, target: hostile, reason: hostile },
    );
    await auth().database.query("delete from users where id = $1", [gone]);
    await using context = await house.visit();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await open(page, "/audit?action=hostile");
    const [row = ""] = await rows(page);
    expect(row).toContain(gone);
    expect(row).not.toContain("diane");
    expect(row).toContain('<img src=x onerror="window.broken=1">⟨202E⟩</a><script>');
    await page.goto(`${house.url}/audit?last=1h`);
    await drawn(page);
    expect(await page.locator("#events tbody tr", { hasText: "ingest_key_create" }).innerText()).toContain(
      "<img src=x",
    );
    expect(await page.locator("#events img, #events script").count()).toBe(0);
    expect(await page.evaluate(() => "broken" in window)).toBe(false);
    expect(complaints).toEqual([]);
  });

  test.each([
    ["who=an%20na", "who: must be a name or an id, without spaces"],
    ["event=order.failed", "event: must be one of"],
    ["from=yesterday", "from: must be a time such as 2026-11-21T07:00:00Z"],
    ["last=1y", "last: is one of 15m, 1h, 6h, 24h, 7d"],
  ])("says what is wrong with an address: %s", async (query, told) => {
    await using context = await house.visit();
    const page = await context.newPage();
    await open(page, "/audit?outcome=success");
    const response = await page.goto(`${house.url}/audit?${query}`);
    expect(response?.status()).toBe(400);
    expect(await page.locator("main").innerText()).toContain(told);
  });
});
