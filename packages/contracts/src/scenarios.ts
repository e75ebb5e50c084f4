import { z } from "zod";

export const scenarioNames = ["calm", "sale", "attack", "outage"] as const;

export const scenarioName = z.enum(scenarioNames);

export type ScenarioName = z.infer<typeof scenarioName>;

/** Body of `PUT /api/scenarios/current`. Without `forSeconds` calm goes on until told otherwise, others for ten minutes. */
export const scenarioRequest = z.strictObject({
  name: scenarioName,
  /** Arrivals per second, steady; without it the scenario's own, which follow the day. */
  ratePerSecond: z.number().min(0.1).max(1_000).optional(),
  forSeconds: z.int().min(1).max(86_400).optional(),
});

export type ScenarioRequest = z.infer<typeof scenarioRequest>;

/** A scenario as it is, or was, played; calm follows when its time has passed. */
export const played = z.object({
  name: scenarioName,
  ratePerSecond: z.number(),
  since: z.iso.datetime(),
  until: z.iso.datetime().nullable(),
});

export type Played = z.infer<typeof played>;

export const scenarioOverview = z.object({
  items: z.array(z.object({ name: scenarioName, description: z.string(), ratePerSecond: z.number() })),
  /** Null while no traffic is made. */
  current: played.nullable(),
});

export type ScenarioOverview = z.infer<typeof scenarioOverview>;

/** Requests of one kind. `status` is 0 where no answer came. */
const sent = z.object({
  method: z.string(),
  /** As the service that answers names its routes. */
  route: z.string(),
  status: z.int(),
  scenario: scenarioName,
  count: z.int().positive(),
  firstAt: z.iso.datetime(),
  lastAt: z.iso.datetime(),
});

/** Everything the generator has sent since it started, to hold what arrived against. */
export const sentReport = z.object({
  startedAt: z.iso.datetime(),
  now: z.iso.datetime(),
  total: z.int(),
  /** Arrivals that sent nothing: too many requests were under way, or the gateway did not answer. */
  skipped: z.int(),
  played: z.array(played),
  counts: z.array(sent),
  /** Requests by the minute they were sent in, for the last two hours. */
  minutes: z.array(z.object({ at: z.iso.datetime(), sent: z.int(), answered: z.int(), failed: z.int() })),
});

export type SentReport = z.infer<typeof sentReport>;
