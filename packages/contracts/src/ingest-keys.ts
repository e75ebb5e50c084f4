import { z } from "zod";
import { ingestScope, serviceName, servicePrefix } from "./feed.ts";

/** Shared by the two keys of a rotation; clients see it as `key:<name>` in dashboards and quotas. */
export const ingestKeyName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes");

const instant = z.iso.datetime({ offset: true, error: "must be a time such as 2027-01-31T00:00:00Z" });

export const ingestKeyGrant = {
  name: ingestKeyName,
  scopes: z.array(ingestScope).min(1, "must name at least one scope").max(3),
  /** The one name the key may speak for; this or `servicePrefix`. */
  service: serviceName.optional(),
  servicePrefix: servicePrefix.optional(),
  expiresAt: instant.optional(),
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
  id: z.string(),
  name: z.string(),
  clientId: z.string(),
  scopes: z.array(ingestScope),
  service: z.string().optional(),
  servicePrefix: z.string().optional(),
  /** `active` keys are taken; at most two of one name are. */
  status: z.enum(["active", "expired", "revoked"]),
  /** Made from the configuration. */
  preset: z.boolean(),
  createdBy: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
  revokedAt: z.iso.datetime().optional(),
  /** Told by gateways in batches: up to a minute late. */
  lastUsedAt: z.iso.datetime().optional(),
});

export type IngestKey = z.infer<typeof ingestKey>;

/** The one answer that holds the key itself. */
export const createdIngestKey = ingestKey.extend({ key: z.string() });

export const ingestKeyPage = z.object({ items: z.array(ingestKey), next: z.string().nullable() });
