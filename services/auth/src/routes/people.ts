import { credentials, registration, type User } from "@vitrine/contracts/auth";
import { scopesOfRole } from "@vitrine/contracts/scopes";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireToken } from "@vitrine/kit/http/auth";
import { validated } from "@vitrine/kit/http/validate";
import type { TokenVerifier } from "@vitrine/kit/tokens";
import { Hono } from "hono";
import type { AccessTokens } from "../access-tokens.ts";
import { type PeopleDeps, register, signIn } from "../people.ts";
import { noStore } from "./no-store.ts";

export interface PeopleRouteDeps extends PeopleDeps {
  readonly accessTokens: AccessTokens;
  readonly verifier: TokenVerifier;
}

const weakPassword = "is one of the passwords that are guessed first, choose another";

export function peopleRoutes(deps: PeopleRouteDeps) {
  return new Hono<AppEnv>()
    .use(noStore)
    .post("/register", validated("json", registration), async (c) => {
      const outcome = await register(deps, c.req.valid("json"));
      if (outcome === "name_taken") throw new ServiceError("name_taken");
      if (outcome === "weak_password") {
        const fields = [{ field: "password", message: weakPassword }];
        throw new ServiceError("invalid_request", `password: ${weakPassword}`, { fields });
      }
      return c.json(toUser(outcome), 201);
    })
    .post("/login", validated("json", credentials), async (c) => {
      const user = await signIn(deps, c.req.valid("json"));
      if (user === undefined) throw new ServiceError("invalid_credentials");
      return c.json(await deps.accessTokens.forPerson(user, scopesOfRole[user.role]));
    })
    .get("/me", requireToken(deps.verifier), async (c) => {
      const { sub, role } = c.var.claims;
      if (role === undefined) throw refused("insufficient_scope", "the token is not a person's");
      const user = await deps.users.findById(sub);
      if (user === undefined) throw refused("invalid_token", "the person does not exist any more");
      return c.json(user);
    });
}

/** RFC 6750 §3: the challenge says which of its errors it is. */
function refused(code: "insufficient_scope" | "invalid_token", detail: string): ServiceError {
  return new ServiceError(code, detail, { headers: { "www-authenticate": `Bearer error="${code}"` } });
}

/** Whatever else is known of a person stays here. */
function toUser({ id, name, role }: User): User {
  return { id, name, role };
}
