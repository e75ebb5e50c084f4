import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { stockPage } from "@vitrine/contracts/inventory";
import { memoryLogger } from "@vitrine/kit/testing/log";
import { makeCatalogue } from "../../services/generator/src/catalogue.ts";
import { parseConfig } from "../../services/generator/src/config.ts";
import { createSimulation } from "../../services/generator/src/simulation.ts";
import { startShop } from "./shop.ts";

let shop: Awaited<ReturnType<typeof startShop>>;
let gateway: ReturnType<typeof Bun.serve>;
const generatorScopes = "orders:read orders:write catalog:write inventory:read inventory:write";

beforeEach(async () => {
  shop = await startShop();
  gateway = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: route });
});
afterEach(async () => {
  await gateway.stop(true);
  await shop.stop();
});

/** The paths of the gateway the generator uses, with token endpoint and sign-in that trust everyone. */
async function route(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/api/inventory")) return shop.inventory.app.fetch(request);
  if (/^\/api\/(catalog|orders|wallet|collection)/.test(pathname)) return shop.orders.app.fetch(request);
  if (pathname === "/api/auth/register") return Response.json({}, { status: 201 });
  const isPerson = pathname === "/api/auth/login";
  const scope = isPerson ? "orders:read orders:write" : generatorScopes;
  const sub = isPerson ? ((await request.json()) as { name: string }).name : "generator";
  const token = await shop.issuer.sign(scope, { sub });
  return Response.json({ access_token: token, token_type: "Bearer", expires_in: 900, scope });
}

/** A generator that plays at once what it planned for a while: its clock moves only when it sleeps. */
function start(steps: number) {
  const { logger, lines } = memoryLogger("generator");
  const played = Promise.withResolvers<void>();
  let time = 0;
  let left = steps;
  const simulation = createSimulation({
    config: parseConfig({
      CLIENT_ID: "generator",
      CLIENT_SECRET: "a-test-secret",
      GATEWAY_URL: gateway.url.href,
    }),
    logger,
    now: () => time,
    clock: () => time,
    sleep: async (ms) => {
      time += ms;
      left -= 1;
      if (left <= 0) {
        played.resolve();
        await new Promise(() => undefined);
      }
      await Bun.sleep(1);
    },
  });
  return { simulation, lines, played: played.promise };
}

async function counts() {
  const [pieces] = await shop.orders.database.query("select count(*)::int as pieces from pieces");
  const [stock] = await shop.inventory.database.query(
    "select count(*)::int as stocked, sum(available)::int as available from stock",
  );
  const [moves] = await shop.inventory.database.query("select count(*)::int as moves from movements");
  return { ...pieces, ...stock, ...moves };
}

describe("generator", () => {
  test("fills an empty shop, and seeding it again changes nothing", async () => {
    const first = start(0);
    await first.simulation.seed();
    const filled = await counts();
    const available = makeCatalogue().reduce((sum, { stock }) => sum + stock, 0);
    expect(filled).toEqual({ pieces: 300, stocked: 300, available, moves: 300 });
    const second = start(0);
    await second.simulation.seed();
    expect(await counts()).toEqual(filled);
    expect(second.lines).toMatchObject([
      { action: "generator.seeded", extra: { pieces: 300, changed: 0, stocked: 0 } },
    ]);
  });

  test("customers browse, look, order, deposit, pay, cancel and sell, and nobody gets an answer nobody should get", async () => {
    const { simulation, lines, played } = start(1_500);
    await simulation.seed();
    simulation.open();
    await played;
    await simulation.round();
    await simulation.close();
    expect(lines.filter(({ action }) => action === "generator.failed")).toEqual([]);
    const report = lines.findLast(({ action }) => action === "generator.report")?.["extra"];
    expect(Object.keys(report as object)).toEqual(
      expect.arrayContaining(
        [
          "browse",
          "view",
          "order",
          "deposit",
          "pay",
          "cancel",
          "sell",
          "orders",
          "wallet",
          "collection",
          "sign_in",
        ].map((action) => `${action}_ok`),
      ),
    );
    const [row] = await shop.orders.database.query<{ customers: number }>(
      "select count(distinct customer)::int as customers from orders",
    );
    expect(row?.customers).toBeGreaterThan(5);
  });

  test("a round delivers to a piece that runs low, and to no other", async () => {
    const { simulation } = start(1);
    await simulation.seed();
    const [first] = await levels();
    const taken = { id: crypto.randomUUID(), pieceId: first?.pieceId, quantity: (first?.available ?? 0) - 1 };
    expect((await shop.inventory.send("POST", "/reservations", taken)).status).toBe(201);
    const before = await levels();
    simulation.open();
    await simulation.round();
    await simulation.close();
    const after = await levels();
    const delivered = after.filter(({ available }, index) => available > (before[index]?.available ?? 0));
    expect(delivered.map(({ pieceId }) => pieceId)).toContain(first?.pieceId ?? "");
    for (const { pieceId } of delivered) {
      expect(before.find((level) => level.pieceId === pieceId)?.available).toBeLessThanOrEqual(10);
    }
  });

  async function levels() {
    return stockPage.parse(await (await shop.inventory.send("GET", "?limit=100")).json()).items;
  }
});
