import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { secretRotation, targetChange, weekdays } from "@vitrine/contracts/targets";
import type { Page } from "playwright-core";
import { chromiumPath, complaintsOf, seriousViolations, whySkipped } from "./browser.ts";
import { openHouse } from "./house.ts";

/** What people do on pages beyond looking at them, in a browser. */

setDefaultTimeout(60_000);

const house = await openHouse();

async function drawn(page: Page, path: string): Promise<void> {
  await page.goto(house.url + path, { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => document.querySelectorAll("[aria-busy]").length === 0);
}

describe.skipIf(chromiumPath === undefined)(`in a browser${whySkipped}`, () => {
  test("a threshold is set for everyone by an administrator, and taken back; the history says both", async () => {
    await using context = await house.enter("admin");
    const page = await context.newPage();
    await drawn(page, "/thresholds");
    await page.locator("#error_ratio-everyone").fill("20");
    await page.locator("form:has(#error_ratio-everyone) button").click();
    await page.locator("#changes td", { hasText: "20 %" }).waitFor();
    expect(await page.locator("#thresholds").innerText()).toContain("Alerts above 20 % (usual: 5 %)");
    await page.locator(".change:has(#error_ratio-everyone) button", { hasText: "Take it back" }).click();
    await page.waitForFunction(() => document.querySelectorAll("#changes tbody tr").length === 2);
  });

  test("whoever may not administer alerts sets their own thresholds alone, and is not offered what they may not do", async () => {
    await using context = await house.enter("viewer");
    const page = await context.newPage();
    await drawn(page, "/thresholds");
    expect(await page.locator("input[id$='-everyone']").count()).toBe(0);
    await page.locator("#memory_bytes-own").fill("64");
    await page.locator("form:has(#memory_bytes-own) button").click();
    await page.locator("#changes td", { hasText: "64 MiB" }).waitFor();
    expect(await page.locator("#memory_bytes-own").inputValue()).toBe("64");
    expect(await page.locator("#changes td", { hasText: "you" }).count()).toBe(1);
    const orders = page.locator("#services tr", { hasText: "orders" });
    await drawn(page, "/");
    expect(await orders.innerText()).toContain("ready");
    await drawn(page, "/thresholds");
    await page.locator("#error_ratio-own").fill("1.5");
    await page.locator("form:has(#error_ratio-own) button").click();
    await page.locator("#changes td", { hasText: "1.5 %" }).waitFor();
    await drawn(page, "/");
    expect(await orders.innerText()).toContain("failing");
    await drawn(page, "/alerts");
    expect(await page.getByRole("button", { name: "Silence", includeHidden: true }).count()).toBe(0);
    expect(await page.locator("nav a[href='/users']").count()).toBe(0);
    for (const path of ["/users", "/audit", "/faults", "/notifications"])
      expect([path, (await page.goto(house.url + path))?.status()]).toEqual([path, 403]);
  });

  test("who was refused without saying who they are is nobody that is known, and not the gateway that counts them", async () => {
    await using context = await house.enter("viewer");
    const page = await context.newPage();
    await drawn(page, "/clients");
    const rows = await page.locator("#refused tbody tr").allInnerTexts();
    expect(rows.map((row) => row.split(/\t/).map((cell) => cell.trim()))).toEqual([
      ["nobody that is known", "missing_token", "/v1/traces", "7"],
      ["orders", "insufficient_scope", "/v1/logs", "3"],
    ]);
  });

  test("an alert opens with its runbook, and an administrator silences it by all of its labels", async () => {
    await using context = await house.enter("admin");
    const page = await context.newPage();
    await drawn(page, "/");
    await page.locator("#alerts a", { hasText: "HighErrorRate" }).click();
    await page.waitForURL("**/alerts?fingerprint=0123456789abcdef");
    await page.waitForFunction(() => document.querySelectorAll("[aria-busy]").length === 0);
    const first = page.locator("#firing li").first();
    expect(await first.innerText()).toContain("More than 5 % fail.");
    expect(await first.innerText()).toContain("Then at TokenForgeryWave, and logs.");
    const leads = await first
      .locator(".detail a")
      .evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    expect(leads).toContain("/alerts?name=TokenForgeryWave");
    for (const path of ["/logs", "/requests"])
      expect(leads.some((href) => href?.startsWith(`${path}?service=orders&from=`))).toBe(true);
    await first.locator("input[name=comment]").fill("a test");
    const posted = page.waitForResponse((response) => response.url().endsWith("/api/console/silences"));
    await first.getByRole("button", { name: "Silence" }).click();
    // The engine of this house makes no silences; what it was asked for came through the console and the gateway.
    expect((await posted).status()).toBe(502);
  });

  test("whom alerts are told keeps quiet at night, hears of some labels alone, and is sent with another secret", async () => {
    await using context = await house.enter("admin");
    const page = await context.newPage();
    await drawn(page, "/notifications");
    const settings = page.getByText("Quiet time, labels, secret");
    const asked = async (button: string) => {
      const sending = page.waitForRequest(
        (request) => request.method() !== "GET" && request.url().includes("/api/notifier/"),
      );
      const again = page.waitForEvent("load");
      await page.getByRole("button", { name: button, exact: true }).click();
      const sent = (await sending).postDataJSON() as unknown;
      await again;
      await settings.click();
      return sent;
    };
    await settings.click();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByLabel("sunday").uncheck();
    expect(targetChange.parse(await asked("Keep quiet then"))).toEqual({
      quietHours: {
        timeZone: "Europe/Paris",
        tiers: ["warning", "info"],
        windows: [{ days: weekdays.filter((day) => day !== "sunday"), from: "22:00", to: "07:00" }],
      },
    });
    await page.getByLabel("Only alerts with these labels").fill("service_name=orders\n\nteam = floor=2 ");
    expect(targetChange.parse(await asked("Keep"))).toEqual({ matchers: { service_name: "orders", team: "floor=2" } });
    const secret = `whsec_${"c2VjcmV0".repeat(4)}`;
    await page.getByLabel("New secret").fill(secret);
    expect(secretRotation.parse(await asked("Rotate"))).toEqual({ secret, overlapHours: 24 });
  });

  test("a chart: a span that is dragged is the span of the page, a key of the legend hides its line, a point leads on", async () => {
    await using context = await house.enter();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await drawn(page, "/dashboards/vitrine-service-health?var-service=orders");
    const panel = page.locator(".tile", { hasText: "Failed requests" });
    const key = panel.locator("button.key").first();
    await key.click();
    expect(await key.getAttribute("aria-pressed")).toBe("false");
    await panel.locator(".u-over").click({ position: { x: 50, y: 20 } });
    expect(await seriousViolations(page)).toEqual([]);
    const logs = await page.locator("#point a", { hasText: "Logs of that moment" }).first().getAttribute("href");
    expect(logs).toMatch(/^\/logs\?from=.+&to=.+/);
    await page.keyboard.press("Escape");
    const box = await panel.locator(".u-over").boundingBox();
    if (box === null) throw new Error("there is no chart");
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 90, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=.+&to=/);
    expect(new URL(page.url()).searchParams.get("var-service")).toBe("orders");
    expect(complaints).toEqual([]);
  });

  test("a dashboard names the engine that is away in each panel that asks it, and draws the others", async () => {
    house.down.add("loki");
    await using context = await house.enter();
    const page = await context.newPage();
    await drawn(page, "/dashboards/vitrine-service-health");
    const missing = await page.locator(".tile .missing").allInnerTexts();
    expect(missing.length).toBeGreaterThan(0);
    for (const text of missing) expect(text).toContain("Loki cannot be reached");
    expect(await page.locator(".tile .u-wrap").count()).toBeGreaterThan(2);
  });
});
