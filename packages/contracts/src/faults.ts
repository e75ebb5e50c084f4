import { z } from "zod";

/** Who honours a fault: the services that have the routes, and the generator for what happens to its own customers. */
export const faultServices = ["orders", "inventory", "generator"] as const;

export type FaultService = (typeof faultServices)[number];

const probability = z.number().min(0).max(1);

/**
 * Every fault that can be switched on, with its parameters and their defaults. Milliseconds unless named otherwise;
 * `ratio` is the share of requests that are hit.
 */
export const faultParameters = {
  /** Every request waits. */
  latency: z.strictObject({ delayMs: z.int().min(1).max(10_000).default(800) }),
  /** A few requests wait long. */
  tail_latency: z.strictObject({
    delayMs: z.int().min(1).max(10_000).default(3_000),
    ratio: probability.default(0.05),
  }),
  /** Requests fail with 500. */
  errors: z.strictObject({ ratio: probability.default(0.3) }),
  /** Statements sleep in PostgreSQL: they count as slow queries above 500 ms. */
  slow_sql: z.strictObject({ delayMs: z.int().min(1).max(5_000).default(700), ratio: probability.default(0.5) }),
  /** Connections of the pool are taken and kept, all but one. */
  pool_exhaustion: z.strictObject({ leave: z.int().min(0).max(10).default(1) }),
  /** The rows everybody needs are locked most of the time, `holdMs` at a stretch. */
  lock_contention: z.strictObject({ holdMs: z.int().min(10).max(5_000).default(1_500) }),
  /** Memory is taken and kept. */
  memory_pressure: z.strictObject({ megabytes: z.int().min(1).max(1_024).default(256) }),
  /** Inventory answers nothing but 503. */
  inventory_down: z.strictObject({}),
  /** Customers' clocks are wrong: tokens look expired, or good for longer than they are. */
  clock_skew: z.strictObject({ seconds: z.int().min(-86_400).max(86_400).default(-1_200) }),
} as const satisfies Readonly<Record<string, z.ZodObject>>;

export type FaultName = keyof typeof faultParameters;

export const faultNames = Object.keys(faultParameters) as readonly FaultName[];

export const faultName = z.enum(Object.keys(faultParameters) as [FaultName, ...FaultName[]]);

/** Which services each fault is of. */
export const servicesOfFault: Readonly<Record<FaultName, readonly FaultService[]>> = {
  latency: ["orders", "inventory"],
  tail_latency: ["orders", "inventory"],
  errors: ["orders", "inventory"],
  slow_sql: ["orders", "inventory"],
  pool_exhaustion: ["orders", "inventory"],
  lock_contention: ["orders", "inventory"],
  memory_pressure: ["orders", "inventory"],
  inventory_down: ["inventory"],
  clock_skew: ["generator"],
};

export const maxFaultSeconds = 3_600;

/** Body of `PUT …/faults/{name}`: for how long, and the fault's own parameters, defaults for those left out. */
export const faultRequest = z.strictObject({
  forSeconds: z.int().min(1).max(maxFaultSeconds).default(120),
  parameters: z.record(z.string(), z.unknown()).default({}),
});

export type FaultRequest = z.infer<typeof faultRequest>;

/** A fault that is on. It goes off by itself at `until`, in the service that has it. */
export const activeFault = z.object({
  name: faultName,
  service: z.enum(faultServices),
  parameters: z.record(z.string(), z.number()),
  since: z.iso.datetime(),
  until: z.iso.datetime(),
});

export type ActiveFault = z.infer<typeof activeFault>;

export const faultList = z.object({ items: z.array(activeFault) });
