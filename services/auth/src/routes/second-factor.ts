import { codeRequest, secondFactorSignIn, stepUp as stepUpRequest } from "@vitrine/contracts/people";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { refuseCrossSite } from "../cross-site.ts";
import type { PeopleDeps } from "../people.ts";
import { beginEnrolment, confirmEnrolment, disableSecondFactor, renewBackupCodes } from "../second-factor.ts";
import { signInWithCode } from "../sign-in.ts";
import { stepUp } from "../step-up.ts";
import { createSecondFactorStore } from "../store/second-factor.ts";
import { answerSession, type SessionAnswerDeps } from "./answer-session.ts";
import { noStore } from "./no-store.ts";
import type { RequestDeps } from "./request-deps.ts";
import { checkRecentProof, refuseDemoVisitor, requireSession } from "./require-session.ts";

export interface SecondFactorRouteDeps extends PeopleDeps, SessionAnswerDeps, RequestDeps {}

const wrongCode = "the code is wrong, was used, or is too old";
const noSecondFactor = "no second factor is active";

/** The second factor of whoever holds the session: what changes it needs a fresh proof of who that is. */
export function secondFactorRoutes(deps: SecondFactorRouteDeps) {
  const { callerOf, database, now } = deps;
  const withSession = requireSession(deps);
  const store = createSecondFactorStore(database);
  return new Hono<AppEnv>()
    .use(noStore)
    .get("/", withSession, async (c) => {
      const { id } = c.var.session.user;
      return c.json({ active: await store.isActive(id), backupCodesLeft: await store.codesLeft(id) });
    })
    .post("/", withSession, async (c) => {
      const { session } = c.var;
      refuseDemoVisitor(session);
      checkRecentProof(session, now(), false);
      const begun = await beginEnrolment(deps, session);
      if (begun === undefined) throw new ServiceError("second_factor_active", "remove it before you set up another");
      return c.json(begun, 201);
    })
    .post("/confirm", withSession, validated("json", codeRequest), async (c) => {
      const outcome = await confirmEnrolment(deps, c.var.session, c.req.valid("json").code, callerOf(c));
      if (outcome === "nothing_begun") throw new ServiceError("not_found", "no second factor waits for its first code");
      if (outcome === "wrong_code") throw new ServiceError("invalid_credentials", wrongCode);
      return c.json({ backupCodes: outcome });
    })
    .post("/backup-codes", withSession, async (c) => {
      checkRecentProof(c.var.session, now(), true);
      const codes = await renewBackupCodes(deps, c.var.session, callerOf(c));
      if (codes === undefined) throw new ServiceError("not_found", noSecondFactor);
      return c.json({ backupCodes: codes });
    })
    .delete("/", withSession, async (c) => {
      const { session } = c.var;
      checkRecentProof(session, now(), await store.isActive(session.user.id));
      if (!(await disableSecondFactor(deps, session, callerOf(c)))) throw new ServiceError("not_found", noSecondFactor);
      return c.body(null, 204);
    });
}

/** Proofs beside the first password: the second factor of a sign-in, and a proof made anew. */
export function proofRoutes(deps: SecondFactorRouteDeps) {
  const { callerOf, ownOrigin } = deps;
  return new Hono<AppEnv>()
    .use(noStore)
    .post("/login/totp", refuseCrossSite(ownOrigin), validated("json", secondFactorSignIn), async (c) => {
      const { challenge, code } = c.req.valid("json");
      const signedIn = await signInWithCode(deps, challenge, code, callerOf(c));
      if (signedIn === undefined) throw new ServiceError("invalid_credentials", wrongCode);
      return answerSession(c, deps, signedIn.opened, signedIn.kind);
    })
    .post("/step-up", requireSession(deps), validated("json", stepUpRequest), async (c) => {
      const { password, code } = c.req.valid("json");
      const outcome = await stepUp(deps, c.var.session, { password, code }, callerOf(c));
      if (outcome === "wrong_password") throw new ServiceError("invalid_credentials", "the password is wrong");
      if (outcome === "wrong_code") throw new ServiceError("invalid_credentials", wrongCode);
      return c.body(null, 204);
    });
}
