import { afterAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bestOfThree, until } from "@vitrine/kit/testing/eventually";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { makeCatalogue } from "./catalogue.ts";
import { parseConfig } from "./config.ts";
import { createSimulation } from "./simulation.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = `${encode({ alg: "EdDSA" })}.${encode({ exp: Date.now() / 1_000 + 900 })}.signature`;
const items = makeCatalogue().slice(0, 12);

/** A shop that answers at once: what is measured is what it takes to ask. */
const shop = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: ({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/api/auth/login")
      return Response.json({ access_token: token, token_type: "Bearer", expires_in: 900, scope: "orders:read" });
    if (pathname.startsWith("/api/catalog/")) return Response.json(items[0]);
    return Response.json({ items: pathname === "/api/catalog" ? items : [], next: null });
  },
});
afterAll(() => shop.stop(true));

test("a thousand arrivals a second take less than one core, the shop that answers included", async () => {
  const { logger } = memoryLogger();
  const config = parseConfig({
    CLIENT_ID: "generator",
    CLIENT_SECRET: "a-test-secret",
    GATEWAY_URL: shop.url.href,
    TRAFFIC: "off",
    CUSTOMERS: "100",
  });
  const simulation = createSimulation({ config, logger, now: Date.now, clock: () => performance.now(), sleep });
  const arrived = () => {
    const { total, skipped } = simulation.report();
    return total + skipped;
  };
  simulation.open();
  simulation.director.play({ name: "calm", ratePerSecond: 1_000 });
  await until(() => arrived() >= 500);
  const cpuMsEach = await bestOfThree(1, async () => {
    const before = arrived();
    const cpuBefore = process.cpuUsage();
    await until(() => arrived() >= before + 2_000);
    const { user, system } = process.cpuUsage(cpuBefore);
    return (user + system) / 1_000 / (arrived() - before);
  });
  expect(cpuMsEach).toBeLessThan(1);
  await simulation.close();
  const { counts } = simulation.report();
  expect(counts.filter(({ status }) => status !== 200)).toEqual([]);
}, 60_000);
