import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { chromiumPath, whySkipped } from "./browser.ts";
import { fullData, slowStatement } from "./engine-data.ts";
import { openHouse } from "./house.ts";

/** docs/tour.md, walked: from a complaint to the statement that fails, by clicks alone. */

setDefaultTimeout(60_000);

const house = await openHouse();

/** The statement stands in the attributes of the span that was opened. */
async function openFailedStatement(page: Page): Promise<void> {
  const span = page.locator("#trace .waterfall summary", { hasText: slowStatement.slice(0, 12) }).first();
  await span.click();
  await page.locator("#trace pre", { hasText: slowStatement }).waitFor({ state: "visible" });
}

describe.skipIf(chromiumPath === undefined)(`the tour${whySkipped}`, () => {
  test("from the overview to the failing SQL is a few clicks", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await page.goto(house.url);
    await page.locator("#failures").getByRole("link", { name: "all" }).click();
    await page.waitForURL("**/requests?status=5xx");
    await page.locator("#list a[href^='/requests/']").first().click();
    await page.waitForURL(`**/requests/${fullData.requestId}`);
    await openFailedStatement(page);
  });

  test("from a point of a dashboard it leads over the requests of that moment to the same SQL", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await page.goto(`${house.url}/dashboards`);
    await page.getByRole("link", { name: "Service health" }).click();
    const panel = page.locator(".tile", { hasText: "Failed requests" });
    await panel.locator(".u-over").click({ position: { x: 60, y: 30 } });
    const point = page.locator("#point");
    await point.getByRole("link", { name: "Requests of that moment" }).click();
    await page.waitForURL("**/requests?from=*&to=*");
    await page.locator("#list a[href^='/requests/']").first().click();
    await openFailedStatement(page);
  });

  test("every page and picture the tour names is there", async () => {
    const root = join(import.meta.dir, "../../docs");
    const text = await Bun.file(join(root, "tour.md")).text();
    const pictures = [...text.matchAll(/!\[[^\]]+\]\((tour\/[\w-]+\.png)\)/g)].map(([, path = ""]) => path);
    expect(pictures.length).toBeGreaterThanOrEqual(4);
    for (const picture of pictures) {
      const file = Bun.file(join(root, picture));
      expect([picture, await file.exists()]).toEqual([picture, true]);
      expect(file.size).toBeLessThan(200_000);
    }
  });
});
