import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import type { z } from "zod";
import { webhookMessage } from "@vitrine/contracts/alerts";
import type { Browser, Page } from "playwright-core";
import { eventually } from "@vitrine/kit/testing/eventually";
import { chromiumPath, launchBrowser } from "../console/browser.ts";
import { getJson, type Stack, startStack } from "./stack.ts";

/**
 * A threshold is moved on the page of the console, in a browser; the alert fires, and its message comes to a sink. With
 * the rules as they are, which takes minutes: only with STACK_ALERTS=on, and where there is a browser.
 */
const isWanted = Bun.env["STACK_ALERTS"] === "on" && chromiumPath !== undefined;

const coldStartMs = 60 * 60_000;
/** The rule waits for two minutes; gathering, evaluating and grouping take the rest. */
const toldWithinMs = 300_000;
const alert = "ServiceMemoryHigh";
const field = "#memory_bytes-everyone";

setDefaultTimeout(900_000);

const secret = `whsec_${randomBytes(32).toString("base64")}`;
const messages: z.infer<typeof webhookMessage>[] = [];

let stack: Stack;
let token: string;
let browser: Browser;

/** Takes what is signed, and nothing else. */
const sink = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: async (request) => {
    const body = await request.text();
    new Webhook(secret).verify(body, Object.fromEntries(request.headers));
    messages.push(webhookMessage.parse(JSON.parse(body)));
    return new Response(null, { status: 204 });
  },
});

const told = (status: "firing" | "resolved"): boolean =>
  messages.some(({ data }) => data.alerts.some((one) => one.name === alert && one.status === status));

async function call(method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(stack.gateway + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

async function signIn(page: Page): Promise<void> {
  const password = (await Bun.file(join(stack.directory, "secrets/admin-password")).text()).trim();
  await page.goto(`${stack.gateway.replace("127.0.0.1", "localhost")}/login?return=%2Fthresholds`);
  await page.locator("input[name=name]").first().fill("admin");
  await page.locator("input[name=password]").first().fill(password);
  await page.locator("form button.primary").first().click();
  await page.waitForURL("**/thresholds");
}

describe.skipIf(!isWanted)("a threshold moved on the page", () => {
  beforeAll(async () => {
    [stack, browser] = await Promise.all([startStack(), launchBrowser(chromiumPath ?? "")]);
    await eventually("the whole system is up", coldStartMs, async () => (await stack.doctor()).ok);
    // Telemetry, which doctor follows, does not need the console.
    await eventually("the console is up", 60_000, async () => (await fetch(`${stack.gateway}/login`)).ok);
    token = await stack.token();
    const settings = { url: sink.url.href, secret };
    await call("POST", "/api/notifier/targets", { name: "sink", channel: "webhook", settings });
  }, coldStartMs);

  afterAll(async () => {
    await browser.close();
    await stack.stop();
    await sink.stop(true);
  });

  test("makes the alert fire and its message come to the sink; taken back, it ends", async () => {
    const page = await browser.newPage();
    await signIn(page);
    expect(told("firing")).toBe(false);
    await page.locator(field).fill("20");
    const startedAt = performance.now();
    await page.locator(`form:has(${field}) button`).click();
    await eventually("the history says so", 10_000, async () =>
      (await page.locator("#changes").innerText()).includes("everyone") ? true : undefined,
    );
    await eventually("Prometheus compares with it", 60_000, async () =>
      JSON.stringify(
        await getJson(stack, token, "/prometheus/api/v1/query?query=threshold:memory_bytes:current"),
      ).includes('"20971520"')
        ? true
        : undefined,
    );
    const comparedMs = performance.now() - startedAt;
    await eventually("the message is at the sink", toldWithinMs, async () => told("firing"));
    const toldMs = performance.now() - startedAt;
    await Bun.write(
      Bun.stderr,
      `threshold compared with after ${(comparedMs / 1_000).toFixed(1)} s, told after ${(toldMs / 1_000).toFixed(1)} s\n`,
    );
    await page.reload();
    await page.locator(`.change:has(${field}) button`, { hasText: "Take it back" }).click();
    token = await stack.token();
    await eventually("its end is at the sink", toldWithinMs, async () => told("resolved"));
  });
});
