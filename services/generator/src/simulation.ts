import type { SentReport } from "@vitrine/contracts/scenarios";
import { createFaults } from "@vitrine/kit/faults";
import type { Logger } from "@vitrine/kit/log";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { makeAttack } from "./attacks.ts";
import { createBackoff } from "./backoff.ts";
import { makeCatalogue } from "./catalogue.ts";
import type { Config } from "./config.ts";
import { createDirector, type Director } from "./director.ts";
import { createEvents } from "./events.ts";
import { createFaultDesk, type FaultDesk } from "./fault-desk.ts";
import { createGateway } from "./gateway.ts";
import { createPeople } from "./people.ts";
import { planTraffic } from "./plan.ts";
import { createRandom } from "./random.ts";
import { createReport } from "./report.ts";
import { createShopkeeper } from "./shopkeeper.ts";
import { createTraffic } from "./traffic.ts";

export interface SimulationOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds of a clock that does not jump. */
  readonly clock: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Simulation {
  readonly director: Director;
  readonly desk: FaultDesk;
  /** Everything that was sent. */
  report(): SentReport;
  /** Fills the shop. @throws Error to be tried again */
  seed(): Promise<void>;
  /** Lets the customers in, on an ordinary day; when traffic is off they wait for a scenario. */
  open(): void;
  /** The shopkeeper's round: delivers what is nearly gone and reports what customers did. */
  round(): Promise<void>;
  close(): Promise<void>;
}

/** The shopkeeper and the customers of one shop, and whoever attacks it; all of them know only the gateway. */
export function createSimulation({ config, logger, now, clock, sleep }: SimulationOptions): Simulation {
  const { client, gatewayUrl, traffic: settings } = config;
  const { seed } = settings;
  const events = createEvents(logger);
  const report = createReport(now, () => director.current()?.name ?? "calm");
  const gateway = createGateway({ url: gatewayUrl, backoff: createBackoff(clock), events, report });
  const tokensFor = (...scopes: readonly string[]) =>
    createTokenSource({ ...client, tokenUrl: new URL("/oauth/token", gatewayUrl).href, scopes });
  const faults = createFaults({ service: "generator", enabled: config.faultInjection, logger });
  const desk = createFaultDesk({ gateway, tokens: tokensFor("faults:admin"), own: faults });
  const director = createDirector({ ...settings, desk, logger, now });

  const shopkeeper = createShopkeeper({
    gateway,
    tokens: tokensFor("orders:read", "catalog:write", "inventory:read", "inventory:write"),
    random: createRandom(`${seed} deliveries`),
  });
  const pieces = makeCatalogue();
  let isNewWorld = false;
  const { customers, loot } = createPeople({
    count: settings.customers,
    seed,
    secret: client.clientSecret,
    gateway,
    pieceIds: pieces.map(({ id }) => id),
    isNewWorld: () => isNewWorld,
    now,
    skewMs: () => (faults.parametersOf("clock_skew")?.seconds ?? 0) * 1_000,
  });
  const traffic = createTraffic({
    plan: planTraffic({
      seed,
      customers: customers.length,
      pieces: pieces.length,
      now: (atMs) => director.at(atMs),
    }),
    customers,
    attack: async (name) => {
      const request = makeAttack(name, loot);
      return request !== undefined && (await gateway.send(request)) !== undefined;
    },
    isPlaying: () => director.current() !== null,
    gateway,
    events,
    report,
    now: clock,
    sleep,
  });
  let isOpen = false;
  return {
    director,
    desk,
    report: () => report.read(director.played()),
    seed: async () => {
      const filled = await shopkeeper.seed(pieces);
      isNewWorld = filled.stocked === filled.pieces;
      events.seeded(filled);
    },
    open: () => {
      isOpen = true;
      if (settings.on) director.play({ name: "calm" });
      traffic.start();
    },
    round: async () => {
      if (!isOpen || director.current() === null) return;
      events.report();
      await shopkeeper.restock(pieces);
    },
    close: async () => {
      await Promise.all([director.stop(), traffic.stop(), faults.close()]);
    },
  };
}
