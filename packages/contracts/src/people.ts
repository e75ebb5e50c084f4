import { z } from "zod";
import { newPassword, user } from "./auth.ts";
import { problem } from "./problem.ts";
import { roles } from "./scopes.ts";
import { securityActions } from "./telemetry.ts";

/** Bodies of requests and answers about people and their sessions. Times are ISO 8601 in UTC. */

const time = z.iso.datetime();

export const refreshRequest = z.strictObject({
  refresh_token: z.string().min(1).max(256).describe("The newest one of the session."),
});

export const passwordChange = z.strictObject({
  currentPassword: z.string().min(1).max(128).describe("Guesses at it are slowed down by the session."),
  newPassword,
  endOtherSessions: z.boolean().optional().describe("Whether the other sessions end. Default true."),
});

/** Proves anew who holds the session; with a second factor both are needed. */
export const stepUp = z.strictObject({
  password: z.string().min(1).max(128).describe("Of the session's owner."),
  code: z.string().min(1).max(32).optional().describe("Six digits or a backup code; needed with a second factor."),
});

/** A session as its owner sees it; the address is masked. */
export const session = z.object({
  id: z.string().describe("To end it by; the `sid` of its access tokens."),
  kind: z.enum(["token", "cookie"]).describe("Whether a refresh token or a browser's cookie carries it."),
  current: z.boolean().describe("The one this request belongs to."),
  createdAt: time.describe("Time of the sign-in."),
  lastUsedAt: time.describe("Time of its last renewal or exchange."),
  expiresAt: time.describe("When it ends unless it is used, or whatever its use."),
  address: z.string().optional().describe("Network it was opened from, the host hidden."),
  userAgent: z.string().optional().describe("What the client called itself."),
});

export type Session = z.infer<typeof session>;

export const sessionList = z.object({ items: z.array(session).describe("Newest first.") });

/** Answer to a sign-in whose session is a cookie. */
export const cookieSession = z.object({
  user: user.describe("Who signed in."),
  session: z
    .object({
      id: z.string().describe("To end it by."),
      expiresAt: time.describe("When it ends whatever its use."),
    })
    .describe("What the cookie carries."),
});

export const managedUser = user.extend({
  demo: z.boolean().describe("The visitor whose password everyone knows."),
  disabled: z.boolean().describe("May not sign in."),
  secondFactor: z.boolean().describe("Has one that is active."),
  createdAt: time.describe("Time of the registration."),
});

export type ManagedUser = z.infer<typeof managedUser>;

export const userChange = z
  .strictObject({
    role: z.enum(roles).optional().describe("Another role."),
    disabled: z.boolean().optional().describe("Whether the person may sign in no more."),
  })
  .refine(({ role, disabled }) => role !== undefined || disabled !== undefined, "says nothing to change");

/** Answer to a right password where a second factor is active: a problem with what `POST /api/auth/login/totp` takes. */
export const secondFactorNeeded = problem.extend({
  code: z.literal("mfa_required"),
  challenge: z.string().describe("For `POST /api/auth/login/totp`; good for one use."),
  expiresInSeconds: z.int().positive().describe("How long the challenge is good."),
});

const code = z.string().min(1).max(32).describe("Six digits, or a backup code.");

export const secondFactorSignIn = z.strictObject({
  challenge: z.string().min(1).max(128).describe("From the answer to the password."),
  code,
});

export const codeRequest = z.strictObject({ code });

export const enrolment = z.object({
  secret: z.string().describe("The seed in base32, to be typed where the picture cannot be read."),
  uri: z.string().describe("`otpauth:` address of the seed."),
  qr: z.string().describe("The address as QR code: SVG as a data URI."),
});

/** Shown once. */
export const backupCodes = z.object({ backupCodes: z.array(z.string()).describe("Ten, each good for one use.") });

export const secondFactorState = z.object({
  active: z.boolean().describe("Whether signing in asks for it."),
  backupCodesLeft: z.int().nonnegative().describe("Of ten."),
});

/** Who has an id now. Nothing of it is in the log: ids stay what they are, and names are looked up for whoever reads. */
export const auditParty = z.object({
  kind: z.enum(["person", "client", "ingest_key"]).describe("What has the id."),
  name: z.string().describe("What it is called."),
});

export type AuditParty = z.infer<typeof auditParty>;

const knownAs = auditParty.nullable().describe("Who has that id now; null where nobody has, or it may not be told.");

/** One security event; `seq` counts from 1 without a gap. Ids, and addresses with their host hidden. */
export const auditEvent = z.object({
  seq: z.int().positive().describe("Counts from 1 without a gap."),
  at: time.describe("When it was stored."),
  event: z.string().describe("Name of the OWASP logging vocabulary, or ours where it has none."),
  outcome: z.enum(["success", "failure"]).describe("Whether what was tried was done."),
  action: z.string().describe("What was done or tried."),
  actor: z.string().nullable().describe("Id of the person or client that did it."),
  actorKnownAs: knownAs,
  target: z.string().nullable().describe("Id of what it was done to, where that is not the actor."),
  targetKnownAs: knownAs,
  reason: z.string().nullable().describe("Why it was refused, or what exactly was done."),
  requestId: z.string().nullable().describe("Leads to logs and spans of the request."),
  address: z.string().nullable().describe("Network of the caller, the host hidden."),
  userAgent: z.string().nullable().describe("What the client called itself."),
  sessionId: z.string().nullable().describe("Session it belongs to."),
  clientId: z.string().nullable().describe("OAuth client it belongs to."),
});

export type AuditRecord = z.infer<typeof auditEvent>;

export const auditPage = z.object({
  items: z.array(auditEvent).describe("Newest first."),
  next: z.string().nullable().describe("Cursor of the page after this one; null on the last."),
});

const moment = z.iso
  .datetime({ offset: true, error: "must be a time such as 2026-11-21T07:00:00Z" })
  .transform((text) => Date.parse(text));

/** What the audit log is narrowed by; each that is given must hold. Times are milliseconds since the epoch once parsed. */
export const auditQuery = {
  who: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[!-~]+$/, "must be a name or an id, without spaces")
    .optional()
    .describe("Name or id of a person, client or ingest key: who did it, or to whom it was done."),
  event: z
    .enum(securityActions, `must be one of ${securityActions.join(", ")}`)
    .optional()
    .describe("Name of the event."),
  action: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, "must be an action such as role_change")
    .optional()
    .describe("What was done or tried."),
  outcome: z.enum(["success", "failure"], "must be success or failure").optional().describe("Whether it was done."),
  from: moment.optional().describe("Events of this time and later."),
  to: moment.optional().describe("Events before this time."),
} as const;

/** What an earlier check answered, as `<rows>:<head>`: a log that holds and does not hold this was cut short. */
export const auditCheckQuery = z.strictObject({
  head: z
    .string()
    .regex(/^\d{1,15}:[0-9a-f]{64}$/, "must be <rows>:<head> of an earlier check")
    .transform((text) => {
      const [rows = "0", head = ""] = text.split(":");
      return { rows: Number(rows), head };
    })
    .optional()
    .describe("What an earlier check answered, as `<rows>:<head>`."),
});

/** `head`: hash of the last row that holds; kept elsewhere, it shows a log that was cut short. */
export const auditCheck = z.object({
  intact: z.boolean().describe("Every row holds, and the head that was asked about is among them."),
  rows: z.int().nonnegative().describe("How many rows hold, from the first on."),
  head: z.string().describe("Hash of the last of them."),
  brokenAt: z.int().positive().nullable().describe("`seq` of the first row that does not hold."),
  follows: z.boolean().nullable().describe("Whether the log holds the head that was asked about; null where none was."),
});
