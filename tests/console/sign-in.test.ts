import { createHmac } from "node:crypto";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { chromiumPath, complaintsOf, seriousViolations, whySkipped } from "./browser.ts";
import { openHouse } from "./house.ts";

setDefaultTimeout(90_000);
const password = "a password of the admin";

const house = await openHouse({ auth: "real" });

async function signIn(page: Page, name: string, secret: string): Promise<void> {
  await page.fill("#first-factor [name=name]", name);
  await page.fill("#first-factor [name=password]", secret);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** RFC 6238, as an authenticator does it. */
function codeOf(secret: string, atMs: number): string {
  const bits = Array.from(secret, (letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  ).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMs / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}

describe.skipIf(chromiumPath === undefined)(`signing in, with the real auth service${whySkipped}`, () => {
  test("a visitor is told of the demonstration, comes in, looks around, and leaves for good", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${house.url}/logs?level=error`);
    expect(await page.locator(".banner").innerText()).toContain("vip");
    await signIn(page, "vip", "wrong");
    await page.waitForFunction(() =>
      document.querySelector("#first-factor [role=alert]")?.textContent?.includes("wrong"),
    );
    expect(await seriousViolations(page)).toEqual([]);
    complaintsOf(page);
    await signIn(page, "vip", "1234");
    await page.waitForURL(`${house.url}/logs?level=error`);
    expect(await page.locator(".who").innerText()).toBe("vip");
    const cookies = await context.cookies();
    expect(cookies).toMatchObject([{ name: "__Host-vitrine_session", httpOnly: true, secure: true, sameSite: "Lax" }]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${house.url}/login`);
    await page.goto(house.url);
    expect(new URL(page.url()).pathname).toBe("/login");
    // A wrong password is answered 401, which a browser writes into its console.
    expect(complaints.filter((complaint) => !complaint.includes("401"))).toEqual([]);
  });

  test("whoever signed out elsewhere is told so by a form, is led to sign in by the page, and comes back to it", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    await page.goto(`${house.url}/thresholds`);
    await signIn(page, "vip", "1234");
    await page.waitForURL(`${house.url}/thresholds`);
    const form = page.locator("form:has(#error_ratio-own)");
    await form.waitFor();
    await using elsewhere = await context.newPage();
    await elsewhere.goto(`${house.url}/account`);
    await elsewhere.getByRole("button", { name: "Sign out" }).click();
    await elsewhere.waitForURL(`${house.url}/login`);
    await form.locator("#error_ratio-own").fill("7");
    await form.getByRole("button", { name: "Set" }).click();
    await form.getByText("You are not signed in any more.").waitFor();
    expect(await form.getByRole("link", { name: "Sign in" }).getAttribute("href")).toBe(`${house.url}/thresholds`);
    // As when somebody comes back to the tab: the page asks for its stream anew.
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.waitForURL(`${house.url}/login?return=%2Fthresholds`);
    await signIn(page, "vip", "1234");
    await page.waitForURL(`${house.url}/thresholds`);
  });

  test("a second factor is set up, asked for, answered by code and by backup code, and removed", async () => {
    await using context = await house.visit();
    const page = await context.newPage();
    await page.goto(`${house.url}/account`);
    await signIn(page, "admin", password);
    await page.waitForURL(`${house.url}/account`);
    await page.getByRole("button", { name: "Set one up" }).click();
    const secret = await page.locator("[data-field=secret]:not(:empty)").innerText();
    expect(await page.locator("img.qr").evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
    const firstMs = Date.now();
    await page.fill("#enrolment [name=code]", codeOf(secret, firstMs));
    await page.getByRole("button", { name: "Confirm" }).click();
    const codes = (await page.locator("[data-field=backupCodes]:not(:empty)").innerText()).split("\n");
    expect(codes.length).toBeGreaterThan(5);
    expect(await seriousViolations(page)).toEqual([]);

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${house.url}/login`);
    await signIn(page, "admin", password);
    await page.waitForSelector("#second-factor:not([hidden])");
    await page.fill("#second-factor [name=code]", "000000");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForFunction(() => document.querySelector("#second-factor [role=alert]")?.textContent !== "");
    await page.goto(`${house.url}/login?return=/account`);
    await signIn(page, "admin", password);
    await page.waitForSelector("#second-factor:not([hidden])");
    await page.fill("#second-factor [name=code]", codes[0] ?? "");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForURL(`${house.url}/account`);

    page.on("dialog", (dialog) => void dialog.accept());
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.waitForFunction(() => document.querySelector("#second-factor")?.textContent?.includes("none"));
  });

  test("a password as long as auth takes one goes whole through every form, whatever its characters", async () => {
    // 128 characters, and twice as many units of what a browser counts.
    const long = (first: number) =>
      Array.from({ length: 128 }, (_, n) => String.fromCodePoint(first + (n % 70))).join("");
    const [old, next] = [long(0x1_f300), long(0x1_f400)];
    await house.auth?.json("/api/auth/register", { name: "flora", password: old });
    await using context = await house.visit();
    const page = await context.newPage();
    await page.goto(`${house.url}/account`);
    await signIn(page, "flora", old);
    await page.waitForURL(`${house.url}/account`);
    await page.fill("[name=currentPassword]", old);
    await page.fill("[name=newPassword]", `${next}x`);
    await page.getByRole("button", { name: "Change the password" }).click();
    await page.getByText("<=128 characters").waitFor();
    await page.fill("[name=newPassword]", next);
    const [changed] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/api/auth/password")),
      page.waitForEvent("load"),
      page.getByRole("button", { name: "Change the password" }).click(),
    ]);
    expect(changed.ok()).toBe(true);
    await house.auth?.database.query("update sessions set proven_at = now() - interval '1 hour'");
    await page.getByRole("button", { name: "Set one up" }).click();
    await page.locator("#step-up input[name=password]").fill(next);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.locator("[data-field=secret]:not(:empty)").waitFor();
  });

  test("sessions are listed, and one that is ended elsewhere is over here", async () => {
    await using first = await house.visit();
    await using second = await house.visit();
    const [here, there] = await Promise.all([first.newPage(), second.newPage()]);
    for (const page of [here, there]) {
      await page.goto(`${house.url}/account`);
      await signIn(page, "admin", password);
      await page.waitForURL(`${house.url}/account`);
    }
    here.on("dialog", (dialog) => void dialog.accept());
    await here.reload();
    expect(await here.locator("#sessions li").count()).toBeGreaterThan(1);
    await here.getByRole("button", { name: "End all others" }).click();
    await here.waitForFunction(() => document.querySelectorAll("#sessions li").length === 1);
    expect(await there.evaluate(async () => (await fetch("/api/auth/session/token", { method: "POST" })).status)).toBe(
      401,
    );
  });

  test("a page to return to is one of ours, whatever the address says", async () => {
    for (const odd of [
      "//evil.test",
      "/\\evil.test",
      "https://evil.test",
      "javascript:alert(1)",
      "/%09/evil.test/../..",
    ]) {
      const text = await (await fetch(`${house.url}/login?return=${encodeURIComponent(odd)}`)).text();
      const places = [...text.matchAll(/data-then="([^"]*)"/g)].map(([, place]) => place ?? "");
      for (const place of places) expect(new URL(place, house.url).origin).toBe(house.url);
    }
  });
});
