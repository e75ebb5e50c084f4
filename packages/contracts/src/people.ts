import { z } from "zod";
import { newPassword, user } from "./auth.ts";
import { problem } from "./problem.ts";
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

/** Answer to a right password where a second factor is active: a problem with what `POST /api/auth/login/totp` takes. */
export const secondFactorNeeded = problem.extend({
  code: z.literal("mfa_required"),
  challenge: z.string(),
  expiresInSeconds: z.int().positive(),
});

/** Six digits, or a backup code. */
const code = z.string().min(1).max(32);

export const secondFactorSignIn = z.strictObject({ challenge: z.string().min(1).max(128), code });

export const codeRequest = z.strictObject({ code });

export const enrolment = z.object({ secret: z.string(), uri: z.string(), qr: z.string() });

/** Shown once. */
export const backupCodes = z.object({ backupCodes: z.array(z.string()) });

export const secondFactorState = z.object({ active: z.boolean(), backupCodesLeft: z.int().nonnegative() });

/** One security event; `seq` counts from 1 without a gap. Ids only, and addresses with their host hidden. */
export const auditEvent = z.object({
  seq: z.int().positive(),
  at: time,
  event: z.string(),
  outcome: z.enum(["success", "failure"]),
  action: z.string(),
  actor: z.string().nullable(),
  target: z.string().nullable(),
  reason: z.string().nullable(),
  requestId: z.string().nullable(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  sessionId: z.string().nullable(),
  clientId: z.string().nullable(),
});

export const auditPage = z.object({ items: z.array(auditEvent), next: z.string().nullable() });

/** What an earlier check answered, as `<rows>:<head>`: a log that holds and does not hold this was cut short. */
export const auditCheckQuery = z.strictObject({
  head: z
    .string()
    .regex(/^\d{1,15}:[0-9a-f]{64}$/, "must be <rows>:<head> of an earlier check")
    .transform((text) => {
      const [rows = "0", head = ""] = text.split(":");
      return { rows: Number(rows), head };
    })
    .optional(),
});

/** `head`: hash of the last row that holds; kept elsewhere, it shows a log that was cut short. */
export const auditCheck = z.object({
  /** Every row holds, and the head that was asked about is among them. */
  intact: z.boolean(),
  /** How many rows hold, from the first on. */
  rows: z.int().nonnegative(),
  head: z.string(),
  /** `seq` of the first row that does not hold. */
  brokenAt: z.int().positive().nullable(),
  /** Whether the log still holds the head that was asked about; null where none was. */
  follows: z.boolean().nullable(),
});
