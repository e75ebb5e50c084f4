import { userName } from "@vitrine/contracts/auth";
import { userChange } from "@vitrine/contracts/people";
import { newUser } from "@vitrine/contracts/users";
import { ServiceError } from "@vitrine/kit/errors";
import type { AppEnv } from "@vitrine/kit/http";
import { requireScope } from "@vitrine/kit/http/auth";
import { pageQuery, toPage } from "@vitrine/kit/http/page";
import { validated } from "@vitrine/kit/http/validate";
import { Hono } from "hono";
import { z } from "zod";
import { changeUser, createUser, type ManagedUserDeps, resetUserPassword } from "../managed-users.ts";
import { createManagedUserStore } from "../store/managed-users.ts";
import { noStore } from "./no-store.ts";
import { refuseWeakPassword } from "./people.ts";
import type { RequestDeps } from "./request-deps.ts";
import { requireRecentProof } from "./require-session.ts";

export interface UserRouteDeps extends ManagedUserDeps, RequestDeps {}

const userId = z.strictObject({ id: z.uuid() });

export function userRoutes(deps: UserRouteDeps) {
  const { database, verifier, callerOf } = deps;
  const mayAdminister = requireScope(verifier, "users:admin");
  const proven = requireRecentProof(deps);
  return new Hono<AppEnv>()
    .use(noStore)
    .get("/", mayAdminister, validated("query", pageQuery(userName)), async (c) => {
      const { limit, cursor = "" } = c.req.valid("query");
      const rows = await createManagedUserStore(database).page(limit + 1, cursor);
      return c.json(toPage(rows, limit, ({ name }) => name));
    })
    .post("/", mayAdminister, proven, validated("json", newUser), async (c) => {
      const by = { id: c.var.claims.sub, caller: callerOf(c) };
      const made = await createUser(deps, c.req.valid("json"), by);
      if (made === "name_taken") throw new ServiceError("name_taken");
      if (made === "weak_password") throw refuseWeakPassword("password");
      return c.json({ ...made.user, ...(made.password === undefined ? {} : { password: made.password }) }, 201);
    })
    .patch("/:id", mayAdminister, proven, validated("param", userId), validated("json", userChange), async (c) => {
      const by = { id: c.var.claims.sub, caller: callerOf(c) };
      const changed = await changeUser(deps, c.req.valid("param").id, c.req.valid("json"), by);
      if (changed === "unknown") throw unknown();
      if (changed === "demo_visitor")
        throw new ServiceError("insufficient_scope", "the demo visitor's account cannot be changed", {
          reason: "demo_visitor",
        });
      if (changed === "last_admin") throw new ServiceError("last_admin", "make somebody else an administrator first");
      return c.json(changed);
    })
    .post("/:id/password", mayAdminister, proven, validated("param", userId), async (c) => {
      const by = { id: c.var.claims.sub, caller: callerOf(c) };
      const password = await resetUserPassword(deps, c.req.valid("param").id, by);
      if (password === undefined) throw unknown();
      return c.json({ password });
    });
}

function unknown(): ServiceError {
  return new ServiceError("not_found", "there is no such person, or none whose password could be reset");
}
