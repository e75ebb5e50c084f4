import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { bestOfThree } from "@vitrine/kit/testing/eventually";
import { problem } from "@vitrine/contracts/problem";
import { chromiumPath, complaintsOf, seriousViolations, whySkipped } from "./browser.ts";
import { fullData, recentId, slowStatement } from "./engine-data.ts";
import { openHouse } from "./house.ts";

setDefaultTimeout(60_000);

const house = await openHouse();

describe.skipIf(chromiumPath === undefined)(`what people come for${whySkipped}`, () => {
  test("from the overview it is two clicks to the statement that failed", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(house.url);
    await page.locator("#failures a", { hasText: "503" }).click();
    await page.waitForURL((url) => url.pathname === `/requests/${recentId}`);
    const failed = page.locator("#trace summary.failed");
    await failed.click();
    expect(await page.locator("#trace pre").innerText()).toBe(slowStatement);
    expect(await page.locator("#head").innerText()).toContain("POST /api/orders/**");
    expect(await page.locator("#events").innerText()).toContain("lock timeout");
    expect(await page.locator("#lines").innerText()).toContain("order failed");
    expect(await page.locator("#around canvas").count()).toBe(2);
    expect(complaints).toEqual([]);
  });

  test("the page of a request is there within a second of the click, by its request id and by its trace id", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    for (const id of [recentId, fullData.traceId]) {
      const took = await bestOfThree(1_000, async () => {
        const startedAt = performance.now();
        await page.goto(`${house.url}/requests/${id}`, { waitUntil: "domcontentloaded" });
        await page.waitForSelector("#trace .waterfall");
        await page.waitForSelector("#lines .lines");
        return performance.now() - startedAt;
      });
      expect(took).toBeLessThan(1_000);
      expect(await page.locator("#trace details").count()).toBe(3);
    }
  });

  test("an id nobody knows is told with every place that was looked in; what can be no id is refused", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await page.goto(`${house.url}/requests/${Bun.randomUUIDv7()}`);
    const head = await page.locator("#head").innerText();
    for (const told of ["Nothing is known of it", "Loki", "Jaeger", "still be on its way"])
      expect(head).toContain(told);
    expect(await seriousViolations(page)).toEqual([]);
    expect((await page.goto(`${house.url}/requests/-no-id-`))?.status()).toBe(400);
  });

  test("what was opened stays open, and what is selected stays selected, while the page is drawn anew", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await page.goto(`${house.url}/requests/${Bun.randomUUIDv7("hex", Date.now() - 1_000)}`);
    house.data = { ...fullData, requestId: new URL(page.url()).pathname.split("/").at(-1) ?? "" };
    await page.waitForSelector("#trace summary.failed", { timeout: 20_000 });
    await page.locator("#trace summary.failed").click();
    house.data = { ...house.data, mark: "inventory" };
    await page.waitForFunction(() => document.querySelector("#trace")?.textContent?.includes("inventory"), undefined, {
      timeout: 20_000,
    });
    expect(await page.locator("#trace details[open]").count()).toBe(1);
  });

  test("a page whose stream is away says that it is paused, and is live again by itself", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await page.goto(house.url);
    const badge = page.locator("[data-live]");
    await badge.and(page.locator("[data-state=live]")).waitFor();
    await page.route("**/api/console/live/**", (route) => route.abort("connectionrefused"));
    // As when somebody comes back to the tab: the page asks for its stream anew.
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await badge.getByText("paused").waitFor();
    await page.unroute("**/api/console/live/**");
    await badge.getByText("live").waitFor();
  });

  test("requests are narrowed by a form whose address can be kept", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await page.goto(`${house.url}/requests`);
    await page.selectOption("[name=status]", "5xx");
    await page.fill("[name=user]", "anna");
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForURL((url) => url.searchParams.get("status") === "5xx" && url.searchParams.get("user") === "anna");
    expect(await page.inputValue("[name=user]")).toBe("anna");
    expect(await page.locator("tbody tr").count()).toBeGreaterThan(1);
    await page.goto(`${house.url}/requests?from=2026-11-20T06:00:00Z&to=2026-11-20T07:00:00Z`);
    await page.selectOption("[name=last]", "15m");
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForURL((url) => url.searchParams.get("last") === "15m");
    expect(await page.locator("[name=from]").count()).toBe(0);
    expect(await page.inputValue("[name=last]")).toBe("15m");
    await page.goto(`${house.url}/requests?status=teapot`);
    expect(await page.locator("h1").innerText()).toBe("The request is not valid");
  });

  test("new lines appear while they are followed, each once, and Loki's absence is told", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    await page.goto(`${house.url}/logs`);
    await page.getByRole("button", { name: "Follow" }).click();
    await page.waitForSelector(".follow li");
    house.down.add("loki");
    await page.waitForFunction(() => document.querySelector(".follow [role=status]")?.textContent?.includes("Loki"));
    await page.getByRole("button", { name: "Stop" }).click();
    expect(await seriousViolations(page)).toEqual([]);
  });

  test("a file is analysed where it is, and nothing of it runs", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${house.url}/analysis`);
    const lines = Array.from(
      { length: 10_000 },
      (_, n) =>
        `2026-11-21T07:00:${String(n % 60).padStart(2, "0")}Z ${n % 50 === 0 ? "ERROR" : "INFO"} <img src=x onerror="window.broken=${n}"> order ${n}`,
    );
    await page.setInputFiles("input[type=file]", {
      name: "app.log",
      mimeType: "text/plain",
      buffer: Buffer.from(lines.join("\n")),
    });
    await page.getByRole("button", { name: "Analyse it" }).click();
    await page.waitForFunction(() => document.querySelector("#report")?.textContent?.includes("10,000"), undefined, {
      timeout: 30_000,
    });
    expect(await page.evaluate(() => "broken" in window)).toBe(false);
    expect(complaints).toEqual([]);
  });

  test("light and dark are kept once chosen", async () => {
    await using context = await house.enter("viewer", { colorScheme: "light" });
    const page = await context.newPage();
    await page.goto(house.url);
    await page.getByRole("button", { name: "Light or dark" }).click();
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    await page.goto(`${house.url}/logs`);
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe("dark");
    // Charts are drawn on a canvas, which takes nothing but a plain colour.
    const ink = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim());
    expect(ink).toMatch(/^#[0-9a-f]{3,8}$/);
    expect(await seriousViolations(page)).toEqual([]);
  });
});

describe("POST /api/console/logs/analyze", () => {
  async function analyse(body: string, type: string, scope = "telemetry:read"): Promise<Response> {
    const headers = { ...(await house.gateway.bearer(scope)), "content-type": type };
    return await fetch(`${house.url}/api/console/logs/analyze`, { method: "POST", headers, body });
  }

  test("takes a log as it is, or a span of the log store", async () => {
    const file = await analyse(
      '{"level":"error","message":"it broke 1"}\n{"level":"error","message":"it broke 2"}',
      "application/x-ndjson",
    );
    expect(await file.json()).toMatchObject({
      lines: 2,
      complete: true,
      levels: { error: 2 },
      patterns: [{ template: "it broke <*>", count: 2 }],
    });
    const span = { from: new Date(Date.now() - 3_600_000).toISOString(), to: new Date().toISOString() };
    expect(await (await analyse(JSON.stringify(span), "application/json")).json()).toMatchObject({
      lines: 42,
      complete: true,
    });
  });

  test.each([
    ["no scope for it", "x", "text/plain", "orders:read", 403],
    ["nothing", "  ", "text/plain", "telemetry:read", 400],
    ["no JSON", "{", "application/json", "telemetry:read", 400],
    [
      "a span that ends before it begins",
      '{"from":"2026-11-21T08:00:00Z","to":"2026-11-21T07:00:00Z"}',
      "application/json",
      "telemetry:read",
      400,
    ],
  ])("refuses %s, and leads to its request", async (_, body, type, scope, status) => {
    const response = await analyse(body, type, scope);
    expect(response.status).toBe(status);
    const told = problem.parse(await response.json());
    expect([told.status, told.instance]).toEqual([status, `/requests/${told.requestId}`]);
  });

  test("says so when Loki is away", async () => {
    house.down.add("loki");
    const span = { from: "2026-11-21T07:00:00Z", to: "2026-11-21T08:00:00Z" };
    expect((await analyse(JSON.stringify(span), "application/json")).status).toBe(502);
  });
});
