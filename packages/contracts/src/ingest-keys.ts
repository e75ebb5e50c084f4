import { z } from "zod";
import { ingestScope, serviceName, servicePrefix } from "./feed.ts";

/** Shared by the two keys of a rotation; clients see it as `key:<name>` in dashboards and quotas. */
export const ingestKeyName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes")
  .describe("Shared by the two keys of a rotation; telemetry is counted under `key:<name>`.");

const instant = z.iso.datetime({ offset: true, error: "must be a time such as 2027-01-31T00:00:00Z" });

export const ingestKeyGrant = {
  name: ingestKeyName,
  scopes: z.array(ingestScope).min(1, "must name at least one scope").max(3).describe("What the key may write."),
  service: serviceName.optional().describe("The one name the key may speak for; this or `servicePrefix`."),
  servicePrefix: servicePrefix.optional().describe("What the names begin with that the key may speak for."),
  expiresAt: instant.optional().describe("Without it the key is good until it is revoked."),
} as const;

/** For {@link z.ZodType.refine}: a key speaks for one name or for what is below a prefix. */
export function speaksForOne(grant: {
  readonly service?: string | undefined;
  readonly servicePrefix?: string | undefined;
}): boolean {
  return (grant.service === undefined) !== (grant.servicePrefix === undefined);
}

export const speaksForOneFault = { path: ["service"], error: "set service or servicePrefix, one of them" };

export const newIngestKey = z.strictObject(ingestKeyGrant).refine(speaksForOne, speaksForOneFault);

export type NewIngestKey = z.infer<typeof newIngestKey>;

export const ingestKey = z.object({
  id: z.string().describe("Public part of the key."),
  name: z.string().describe("Shared by the two keys of a rotation."),
  clientId: z.string().describe("Whom quotas and dashboards count it as."),
  scopes: z.array(ingestScope).describe("What it may write."),
  service: z.string().optional().describe("The one name it may speak for."),
  servicePrefix: z.string().optional().describe("What the names begin with that it may speak for."),
  status: z.enum(["active", "expired", "revoked"]).describe("Active keys are taken; at most two of one name are."),
  preset: z.boolean().describe("Made from the configuration."),
  createdBy: z.string().describe("Id of the person or client that made it."),
  createdAt: z.iso.datetime().describe("When it was made."),
  expiresAt: z.iso.datetime().optional().describe("From then on it is refused."),
  revokedAt: z.iso.datetime().optional().describe("Since then it is refused."),
  lastUsedAt: z.iso.datetime().optional().describe("Told by gateways in batches: up to a minute late."),
});

export type IngestKey = z.infer<typeof ingestKey>;

/** The one answer that holds the key itself. */
export const createdIngestKey = ingestKey.extend({ key: z.string().describe("The key itself, shown this once.") });

export const ingestKeyPage = z.object({
  items: z.array(ingestKey).describe("By name."),
  next: z.string().nullable().describe("Cursor of the page after this one; null on the last."),
});
