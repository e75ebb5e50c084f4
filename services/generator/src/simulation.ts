import type { Logger } from "@vitrine/kit/log";
import { createTokenSource } from "@vitrine/kit/tokens/source";
import { createBackoff } from "./backoff.ts";
import { makeCatalogue } from "./catalogue.ts";
import type { Config } from "./config.ts";
import { createCustomer } from "./customer.ts";
import { createEvents } from "./events.ts";
import { createGateway } from "./gateway.ts";
import { planTraffic } from "./plan.ts";
import { makePopulation } from "./population.ts";
import { createRandom } from "./random.ts";
import { createShopkeeper } from "./shopkeeper.ts";
import { createTraffic } from "./traffic.ts";

export interface SimulationOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface Simulation {
  /** Fills the shop. @throws Error to be tried again */
  seed(): Promise<void>;
  /** Lets the customers in; nothing when traffic is off. */
  open(): void;
  /** The shopkeeper's round: delivers what is nearly gone and reports what customers did. */
  round(): Promise<void>;
  close(): Promise<void>;
}

/** The shopkeeper and the customers of one shop, all of whom know only the gateway. */
export function createSimulation({ config, logger, now, sleep }: SimulationOptions): Simulation {
  const { client, gatewayUrl, traffic: settings } = config;
  const events = createEvents(logger);
  const gateway = createGateway({ url: gatewayUrl, backoff: createBackoff(now), events });
  const shopkeeper = createShopkeeper({
    gateway,
    tokens: createTokenSource({
      ...client,
      tokenUrl: new URL("/oauth/token", gatewayUrl).href,
      scopes: ["orders:read", "catalog:write", "inventory:read", "inventory:write"],
    }),
    random: createRandom(`${settings.seed} deliveries`),
  });
  const pieces = makeCatalogue();
  const customers = makePopulation(settings.customers, settings.seed, client.clientSecret).map((identity) =>
    createCustomer({ identity, gateway, pieces, now }),
  );
  const plan = planTraffic({ ...settings, pieces: pieces.length });
  const traffic = createTraffic({ plan, customers, gateway, events, now, sleep });
  let isOpen = false;
  return {
    seed: async () => events.seeded(await shopkeeper.seed(pieces)),
    open: () => {
      isOpen = settings.on;
      if (isOpen) traffic.start();
    },
    round: async () => {
      if (!isOpen) return;
      events.report();
      await shopkeeper.restock();
    },
    close: () => traffic.stop(),
  };
}
