import { join } from "node:path";
import { freePort } from "@vitrine/kit/testing/postgres";
import { createTestIssuer, type TestIssuer } from "@vitrine/kit/testing/tokens";
import { type ShopProcesses, startShopProcesses } from "../../chaos/shop-processes.ts";
import type { Arrivals, Bench, BenchScope, LoadRequest, Route, Variant } from "../harness/bench.ts";

const gateway = join(import.meta.dir, "../../../services/gateway");
const pieceCount = 64;
const customerCount = 64;

const silent = { NODE_ENV: "production", LOG_LEVEL: "error", LOG_SINK: "none" };

/** An order end to end, by gateway, orders, inventory and PostgreSQL: with all telemetry, beside without any. */
export const ordersBench: Bench = {
  name: "orders",
  title:
    "Orders through the gateway until their pieces are reserved; three services and PostgreSQL, telemetry on and off",
  async prepare(scope) {
    const issuer = await createTestIssuer();
    const off = await startVariantShop(scope, "off", issuer);
    const on = await startVariantShop(scope, "on", issuer);
    return {
      routes: [orderRoute(await sharedRequests(issuer, [off.shop, on.shop]))],
      variants: [off.variant, on.variant],
      skipped: [],
    };
  },
};

function orderRoute(requests: readonly LoadRequest[]): Route {
  // The gateway's share; what the services leave goes through it, as it does anywhere.
  return { name: "order", requests, leaves: { serverSpans: 1, accessLogs: 1 } };
}

/** Both shops take the same requests: one issuer signs for them, and both have the same pieces. */
async function sharedRequests(issuer: TestIssuer, shops: readonly ShopProcesses[]): Promise<readonly LoadRequest[]> {
  const claims = { exp: Math.floor(Date.now() / 1_000) + 3_600 };
  const scope = "orders:read orders:write catalog:write inventory:read inventory:write";
  const clerk = await issuer.sign(scope, { sub: "clerk" });
  const pieces = Array.from({ length: pieceCount }, (_, index) => `bench-piece-${index}`);
  for (const shop of shops) for (const pieceId of pieces) await stock(shop, clerk, pieceId);
  const tokens = await Promise.all(
    Array.from({ length: customerCount }, (_, index) => issuer.sign(scope, { sub: `customer-${index}`, ...claims })),
  );
  return pieces.map((pieceId, index) => ({
    method: "POST",
    path: "/api/orders",
    headers: { authorization: `Bearer ${tokens[index]}`, "content-type": "application/json" },
    body: JSON.stringify({ pieceId, quantity: 1 }),
    expect: 201,
  }));
}

async function stock({ orders, inventory }: ShopProcesses, token: string, pieceId: string): Promise<void> {
  const send = async (method: string, url: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  };
  const price = { amount: 100, currency: "EUR" };
  await send("PUT", `${orders.url}/api/catalog/${pieceId}`, { maison: "Bench", name: "Piece", kind: "watch", price });
  // As much as a run can order, and more.
  for (let times = 0; times < 3; times += 1)
    await send("POST", `${inventory.url}/api/inventory/${pieceId}/restock`, { quantity: 10_000 });
}

async function startVariantShop(scope: BenchScope, name: "off" | "on", issuer: TestIssuer) {
  const otlpPort = await freePort();
  const telemetry = name === "on";
  const own = (service: string) => ({
    NODE_ENV: "production",
    LOG_LEVEL: "info",
    LOG_SINK: "otlp",
    OTEL_SERVICE_NAME: service,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${otlpPort}`,
  });
  const shop = await startShopProcesses({
    issuer,
    preload: telemetry,
    env: (service) => (telemetry ? own(service) : silent),
  });
  scope.own(() => shop.stop());
  const { bun } = scope.runtime;
  const unlimited = { QUOTA_API_REQUESTS_PER_SECOND: "0", QUOTA_API_BYTES_PER_SECOND: "0", QUOTA_API_IN_FLIGHT: "0" };
  const variant: Variant = {
    name,
    baseline: "off",
    command: [bun, ...(telemetry ? ["--preload", "@vitrine/kit/telemetry/preload"] : []), "src/main.ts"],
    cwd: gateway,
    env: {
      OTLP_PORT: String(otlpPort),
      AUTH_URL: shop.auth,
      TOKEN_ISSUER: shop.issuer.issuer,
      TOKEN_AUDIENCE: shop.issuer.audience,
      ORDERS_URL: shop.orders.url,
      INVENTORY_URL: shop.inventory.url,
      // Where the gateway passes on what the services send.
      COLLECTOR_URL: scope.otlpEndpoint(`${name}-services`),
      ...unlimited,
      ...(telemetry ? { ...own("gateway"), OTEL_EXPORTER_OTLP_ENDPOINT: scope.otlpEndpoint(name) } : silent),
    },
    exports: telemetry,
    readyPath: "/health/ready",
    beside: [shop.orders.pid(), shop.inventory.pid()],
    // Only what an order leaves: the gateway also measures the posts of telemetry that pass it.
    counts: async () => {
      const { serverSpans = 0, accessLogs = 0 } = (await (
        await fetch(`${scope.otlpEndpoint(name)}/counts`)
      ).json()) as Arrivals;
      return { serverSpans, accessLogs };
    },
  };
  return { shop, variant };
}
