import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { BrowserContext, Page } from "playwright-core";
import { pages as allPages } from "../../services/console/src/pages/pages.ts";
import { createMatcher } from "../../services/gateway/src/routes/match.ts";
import { bestOfThree } from "@vitrine/kit/testing/eventually";
import { type Role, scopesOfRole } from "@vitrine/contracts/scopes";
import { routes } from "../../services/gateway/src/routes/table.ts";
import { chromiumPath, complaintsOf, layoutShift, seriousViolations, whySkipped } from "./browser.ts";
import { hostileData, hugeData, manyData, recentId } from "./engine-data.ts";
import { openHouse } from "./house.ts";

setDefaultTimeout(60_000);
/** Where screenshots are kept for people to look at, if anywhere. */
const shots = process.env["CONSOLE_SHOTS"];

const house = await openHouse();

const addressOf = (path: string): string => path.replace(":id", recentId).replace(":uid", "vitrine-service-health");
const addresses = allPages.map(({ path }) => addressOf(path));
const addressesOf = (role: Role): readonly string[] =>
  allPages.filter(({ scope }) => scopesOfRole[role].includes(scope)).map(({ path }) => addressOf(path));
/** The least of those who may see a page. */
const roleFor = (address: string): Role => (addressesOf("viewer").includes(address) ? "viewer" : "admin");

/** Opens a page and waits until every part of it is drawn. */
async function open(page: Page, path: string): Promise<{ readonly status: number; readonly ms: number }> {
  const startedAt = performance.now();
  const response = await page.goto(house.url + path, { waitUntil: "domcontentloaded" });
  const ms = performance.now() - startedAt;
  await page.waitForFunction(() => document.querySelectorAll("[aria-busy]").length === 0, undefined, {
    timeout: 20_000,
  });
  return { status: response?.status() ?? 0, ms };
}

async function keep(page: Page, name: string, fullPage = true): Promise<void> {
  if (shots !== undefined) await page.screenshot({ path: `${shots}/${name.replace(/\W+/g, "-")}.png`, fullPage });
}

test("every page has a row at the gateway, and is one there", () => {
  const match = createMatcher(routes);
  for (const address of addresses) {
    const row = match(address)?.byMethod.get("GET");
    expect({ address, upstream: row?.upstream, page: row?.page }).toEqual({
      address,
      upstream: "console",
      page: { login: "/login" },
    });
  }
});

describe.skipIf(chromiumPath === undefined)(`in a browser${whySkipped}`, () => {
  describe.each(["viewer", "operator", "admin"] as const)("as %s", (role) => {
    test.each(addressesOf(role))(
      "%s is drawn whole, without complaint, and axe finds nothing serious in light and dark",
      async (path) => {
        await using context = await house.enter(role, { colorScheme: "light" });
        const page = await context.newPage();
        const complaints = complaintsOf(page);
        expect((await open(page, path)).status).toBe(200);
        expect(await page.locator(".missing").count()).toBe(0);
        expect(await layoutShift(page)).toBeLessThan(0.1);
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await seriousViolations(page)).toEqual([]);
          await keep(page, `${role} ${path} ${colorScheme}`);
        }
        expect(complaints).toEqual([]);
      },
    );
  });

  test.each(addresses)("%s is no wider than a phone, and its menu opens by keyboard", async (path) => {
    await using context = await house.enter(roleFor(path), { viewport: { width: 375, height: 740 } });
    const page = await context.newPage();
    await open(page, path);
    await keep(page, `phone ${path}`, false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
    await page.locator("#menu > summary").focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("#menu nav a[href='/logs']").isVisible()).toBe(true);
  });

  const states = [
    ["empty", () => (house.data = undefined)],
    ["without Prometheus", () => house.down.add("prometheus")],
    ["without Loki", () => house.down.add("loki")],
    ["without Jaeger", () => house.down.add("jaeger")],
    ["without Alertmanager", () => house.down.add("alertmanager")],
    ["without the notifier", () => house.down.add("notifier")],
    ["without the generator", () => house.down.add("generator")],
    ["with 10,000 lines", () => (house.data = manyData)],
    ["with hostile data", () => (house.data = hostileData)],
    ["with texts of a megabyte", () => (house.data = hugeData)],
  ] as const;

  describe.each(states)("%s", (state, arrange) => {
    const contexts = new Map<Role, BrowserContext>();
    beforeAll(async () => {
      for (const role of ["viewer", "admin"] as const)
        contexts.set(role, await house.enter(role, { viewport: { width: 375, height: 740 } }));
    });
    afterAll(() => Promise.all([...contexts.values()].map((context) => context.close())));

    test.each(addresses)("%s is drawn whole, and nothing in it runs", async (path) => {
      arrange();
      await using page = await contexts.get(roleFor(path))?.newPage();
      if (page === undefined) throw new Error("there is no browser");
      const complaints = complaintsOf(page);
      expect((await open(page, path)).status).toBe(200);
      await keep(page, `${state} ${path}`);
      expect(await page.evaluate(() => "broken" in window)).toBe(false);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
      expect(await page.evaluate(() => document.body.innerHTML.length)).toBeLessThan(2_000_000);
      expect(complaints).toEqual([]);
    });
  });

  test.each(["prometheus", "loki", "jaeger", "alertmanager"] as const)(
    "the overview names %s when it is away, and shows the rest",
    async (engine) => {
      house.down.add(engine);
      await using context = await house.enter();
      const page = await context.newPage();
      await open(page, "/");
      const text = await page.locator("#engines").innerText();
      expect(text).toContain("cannot be reached");
      expect(await page.locator(".panel").count()).toBe(6);
    },
  );

  test("a slow engine keeps no page waiting for more than a second, and its part comes when it answers", async () => {
    const answered = Promise.withResolvers<void>();
    house.slow.set("loki", answered.promise);
    await using context = await house.enter();
    const page = await context.newPage();
    for (const path of ["/", `/requests/${recentId}`]) {
      const took = await bestOfThree(1_000, async () => {
        const response = await page.goto(house.url + path, { waitUntil: "commit" });
        const { responseStart = Infinity, requestStart = 0 } = response?.request().timing() ?? {};
        return responseStart - requestStart;
      });
      expect(took).toBeLessThan(1_000);
    }
    await page.waitForSelector("#trace .waterfall");
    expect(await page.locator("#lines").getAttribute("aria-busy")).toBe("true");
    answered.resolve();
    await page.waitForSelector("#lines .lines");
  });

  test("the first page is under 150 kB with everything it loads", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    let bytes = 0;
    session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
    await open(page, "/");
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(150_000);
  });

  test("what changes is drawn without loading the page again", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await open(page, "/");
    await page.evaluate(() => Object.assign(window, { same: true }));
    house.data = undefined;
    await page.waitForFunction(
      () => document.querySelector("#alerts")?.textContent?.includes("Nothing is wrong"),
      undefined,
      { timeout: 30_000 },
    );
    expect(await page.evaluate(() => "same" in window)).toBe(true);
  });

  test("who has no session is sent to sign in, and an address that is none of ours is a page that leads on", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    await page.goto(`${house.url}/requests?status=5xx`);
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe("/login?return=%2Frequests%3Fstatus%3D5xx");
    expect(await seriousViolations(page)).toEqual([]);
    const response = await page.goto(`${house.url}/nowhere`);
    expect(response?.status()).toBe(404);
    expect(await page.locator("a[href^='/requests/']").count()).toBe(1);
  });
});
