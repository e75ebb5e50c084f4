import { z } from "zod";

/** Who honours a fault: the services that have the routes, and the generator for what happens to its own customers. */
export const faultServices = ["orders", "inventory", "generator"] as const;

export type FaultService = (typeof faultServices)[number];

interface FaultDefinition {
  readonly description: string;
  readonly services: readonly FaultService[];
  /** Of numbers, each with a default. Milliseconds unless named otherwise; `ratio` is the share of requests that are hit. */
  readonly parameters: z.ZodObject;
}

const ratio = (share: number) => z.number().min(0).max(1).default(share);
const shop = ["orders", "inventory"] as const;

/** Every fault that can be switched on. */
export const faults = {
  latency: {
    description: "Every request waits.",
    services: shop,
    parameters: z.strictObject({ delayMs: z.int().min(1).max(10_000).default(800) }),
  },
  tail_latency: {
    description: "A few requests wait long.",
    services: shop,
    parameters: z.strictObject({ delayMs: z.int().min(1).max(10_000).default(3_000), ratio: ratio(0.05) }),
  },
  errors: {
    description: "Requests fail with 500.",
    services: shop,
    parameters: z.strictObject({ ratio: ratio(0.3) }),
  },
  slow_sql: {
    description: "Statements sleep in PostgreSQL; above 500 ms they count as slow.",
    services: shop,
    parameters: z.strictObject({ delayMs: z.int().min(1).max(5_000).default(700), ratio: ratio(0.5) }),
  },
  pool_exhaustion: {
    description: "Connections to the database are taken and kept, all but a few.",
    services: shop,
    parameters: z.strictObject({ leave: z.int().min(0).max(10).default(1) }),
  },
  lock_contention: {
    description: "The rows everybody needs are locked most of the time.",
    services: shop,
    parameters: z.strictObject({ holdMs: z.int().min(10).max(5_000).default(1_500) }),
  },
  memory_pressure: {
    description: "Memory is taken and kept.",
    services: shop,
    parameters: z.strictObject({ megabytes: z.int().min(1).max(1_024).default(256) }),
  },
  inventory_down: {
    description: "Inventory answers nothing but 503.",
    services: ["inventory"],
    parameters: z.strictObject({}),
  },
  clock_skew: {
    description:
      "The clocks of customers go ahead by so many seconds, or are behind: good tokens look expired, or bad ones good.",
    services: ["generator"],
    parameters: z.strictObject({ seconds: z.int().min(-86_400).max(86_400).default(1_200) }),
  },
} as const satisfies Readonly<Record<string, FaultDefinition>>;

export type FaultName = keyof typeof faults;

/** The parameters of a fault, defaults filled in. */
export type FaultParameters<N extends FaultName> = z.output<(typeof faults)[N]["parameters"]>;

export const faultNames = Object.keys(faults) as readonly FaultName[];

export const faultName = z.enum(Object.keys(faults) as [FaultName, ...FaultName[]]);

/** Whether a fault is of a service. */
export function hasFault(service: FaultService, name: FaultName): boolean {
  const services: readonly FaultService[] = faults[name].services;
  return services.includes(service);
}

export const maxFaultSeconds = 3_600;

/** Body of `PUT …/faults/{name}`: for how long, and the fault's own parameters, defaults for those left out. */
export const faultRequest = z.strictObject({
  forSeconds: z.int().min(1).max(maxFaultSeconds).default(120),
  parameters: z.record(z.string(), z.unknown()).default({}),
});

export type FaultRequest = z.output<typeof faultRequest>;

/** A fault that is on. It goes off by itself at `until`, in the service that has it. */
export const activeFault = z.object({
  name: faultName,
  service: z.enum(faultServices),
  parameters: z.record(z.string(), z.number()),
  since: z.iso.datetime(),
  until: z.iso.datetime(),
});

export type ActiveFault = z.infer<typeof activeFault>;

/** Answer of a service: what is on; of the generator: what was switched on, and where. */
export const faultList = z.object({ items: z.array(activeFault) });

/** Body of `PUT /api/faults/{name}`: of all services that have the fault, unless some are named. */
export const faultSwitch = faultRequest.extend({ services: z.array(z.enum(faultServices)).min(1).optional() });

export type FaultSwitch = z.input<typeof faultSwitch>;

/** Answer of `GET /api/faults`: every fault there is, and where it is on. */
export const faultOverview = z.object({
  items: z.array(
    z.object({
      name: faultName,
      description: z.string(),
      services: z.array(z.enum(faultServices)),
      /** Defaults of the parameters. */
      parameters: z.record(z.string(), z.number()),
      active: z.array(activeFault),
    }),
  ),
  /** Services that did not tell: away, or without fault injection. */
  silent: z.array(z.object({ service: z.enum(faultServices), reason: z.string() })),
});

export type FaultOverview = z.infer<typeof faultOverview>;
