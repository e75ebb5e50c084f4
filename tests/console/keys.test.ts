import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { chromiumPath, whySkipped } from "./browser.ts";
import { openHouse } from "./house.ts";

/** Keys and people are made on pages, with the real auth service and its demand for a fresh proof. */

setDefaultTimeout(60_000);
const password = "a password of the admin";

const house = await openHouse({ auth: "real" });

async function signIn(page: Page, path: string): Promise<void> {
  await page.goto(`${house.url}/login?return=${encodeURIComponent(path)}`);
  await page.locator("#first-factor input[name=name]").fill("admin");
  await page.locator("#first-factor input[name=password]").fill(password);
  await page.locator("#first-factor button.primary").click();
  await page.waitForURL(house.url + path);
}

describe.skipIf(chromiumPath === undefined)(`in a browser${whySkipped}`, () => {
  test("a key is made after a fresh proof, shown once, rotated and revoked", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    await signIn(page, "/clients");
    await house.auth?.database.query("update sessions set proven_at = now() - interval '1 hour'");
    await page.locator("input[name=name]").first().fill("partner");
    await page.locator("input[name=service]").first().fill("partner-shop");
    await page.getByRole("button", { name: "Make it" }).click();
    const again = page.locator("#step-up");
    await again.locator("input[name=password]").fill(password);
    await again.getByRole("button", { name: "Go on" }).click();
    const key = page.locator("#made-key [data-field=key]");
    await key.waitFor({ state: "visible" });
    const shown = await key.innerText();
    expect(shown.length).toBeGreaterThan(30);
    await page.getByRole("link", { name: "Done" }).click();
    await page.locator("#keys li", { hasText: "partner" }).waitFor();
    expect(await page.content()).not.toContain(shown);
    await page.getByRole("button", { name: "Rotate" }).click();
    await key.waitFor({ state: "visible" });
    expect(await key.innerText()).not.toBe(shown);
    await page.getByRole("link", { name: "Done" }).click();
    await page.waitForFunction(() => document.querySelectorAll("#keys li").length === 2);
    page.on("dialog", (dialog) => void dialog.accept());
    await page.getByRole("button", { name: "Revoke" }).first().click();
    await page.locator("#keys .state", { hasText: "revoked" }).waitFor();
  });

  test("somebody new gets a password that is shown once, and the audit log says who made the account", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    await signIn(page, "/users");
    await page.locator("input[name=name]").first().fill("berta");
    await page.getByRole("button", { name: "Make the account" }).click();
    const made = page.locator("#made-user [data-field=password]");
    await made.waitFor({ state: "visible" });
    expect((await made.innerText()).length).toBeGreaterThan(8);
    await page.getByRole("link", { name: "Done" }).click();
    await page.locator("#people li", { hasText: "berta" }).waitFor();
    await page.goto(`${house.url}/audit`);
    await page.locator("#events td", { hasText: "user_created" }).first().waitFor();
    await page.getByRole("button", { name: "Check every row" }).click();
    await page.locator("#checked [data-field=intact]", { hasText: "yes" }).waitFor();
  });
});
