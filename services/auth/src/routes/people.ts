import { credentials, registration, type User } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireToken } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { refuseCrossSite } from "../cross-site.ts";
import { type PeopleDeps, register } from "../people.ts";
import { signIn } from "../sign-in.ts";
import { answerSession, type SessionAnswerDeps } from "./answer-session.ts";
import { noStore } from "./no-store.ts";
import type { RequestDeps } from "./request-deps.ts";

export interface PeopleRouteDeps extends PeopleDeps, SessionAnswerDeps, RequestDeps {}

const weakPassword = "is one of the passwords that are guessed first, choose another";

export function refuseWeakPassword(field: string): ServiceError {
  return new ServiceError("invalid_request", `${field}: ${weakPassword}`, {
    fields: [{ field, message: weakPassword }],
  });
}

export function peopleRoutes(deps: PeopleRouteDeps) {
  const { callerOf, ownOrigin, verifier, users } = deps;
  return new Hono<AppEnv>()
    .use(noStore)
    .post("/register", validated("json", registration), async (c) => {
      const outcome = await register(deps, c.req.valid("json"), callerOf(c));
      if (outcome === "name_taken") throw new ServiceError("name_taken");
      if (outcome === "weak_password") throw refuseWeakPassword("password");
      return c.json(toUser(outcome), 201);
    })
    .post("/login", refuseCrossSite(ownOrigin), validated("json", credentials), async (c) => {
      const { session = "token", ...claimed } = c.req.valid("json");
      const opened = await signIn(deps, claimed, session, callerOf(c));
      if (opened === undefined) throw new ServiceError("invalid_credentials");
      if ("challenge" in opened) {
        const detail = "send the challenge with a code to POST /api/auth/login/totp";
        throw new ServiceError("mfa_required", detail, { extensions: { ...opened } });
      }
      return answerSession(c, deps, opened, session);
    })
    .get("/me", requireToken(verifier), async (c) => {
      const { sub, role } = c.var.claims;
      if (role === undefined) throw refused("insufficient_scope", "the token is not a person's");
      const user = await users.findById(sub);
      if (user === undefined) throw refused("invalid_token", "the person does not exist any more");
      return c.json(user);
    });
}

/** RFC 6750 §3: the challenge says which of its errors it is. */
function refused(code: "insufficient_scope" | "invalid_token", detail: string): ServiceError {
  return new ServiceError(code, detail, {
    reason: code,
    headers: { "www-authenticate": `Bearer error="${code}"` },
  });
}

/** Whatever else is known of a person stays here. */
function toUser({ id, name, role }: User): User {
  return { id, name, role };
}
