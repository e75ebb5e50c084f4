import { z } from "zod";
import { newPassword, user } from "./auth.ts";
import { roles } from "./scopes.ts";

/** Bodies of requests and answers about people and their sessions. Times are ISO 8601 in UTC. */

const time = z.iso.datetime();

export const refreshRequest = z.strictObject({ refresh_token: z.string().min(1).max(256) });

export const passwordChange = z.strictObject({
  currentPassword: z.string().min(1).max(128),
  newPassword,
  /** Default true. */
  endOtherSessions: z.boolean().optional(),
});

/** Proves anew who holds the session; with a second factor both are needed. */
export const stepUp = z.strictObject({
  password: z.string().min(1).max(128),
  /** Six digits, or a backup code. */
  code: z.string().min(1).max(32).optional(),
});

/** A session as its owner sees it; the address is masked. */
export const session = z.object({
  id: z.string(),
  kind: z.enum(["token", "cookie"]),
  /** The one this request belongs to. */
  current: z.boolean(),
  createdAt: time,
  lastUsedAt: time,
  expiresAt: time,
  address: z.string().optional(),
  userAgent: z.string().optional(),
});

export type Session = z.infer<typeof session>;

export const sessionList = z.object({ items: z.array(session) });

/** Answer to a sign-in whose session is a cookie. */
export const cookieSession = z.object({ user, session: z.object({ id: z.string(), expiresAt: time }) });

export const managedUser = user.extend({
  demo: z.boolean(),
  disabled: z.boolean(),
  secondFactor: z.boolean(),
  createdAt: time,
});

export type ManagedUser = z.infer<typeof managedUser>;

export const userChange = z
  .strictObject({ role: z.enum(roles).optional(), disabled: z.boolean().optional() })
  .refine(({ role, disabled }) => role !== undefined || disabled !== undefined, "says nothing to change");
