import type { User } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { type Caller, networkOf } from "./caller.ts";
import { isGuessable } from "./common-passwords.ts";
import type { AttemptMethod } from "./people-events.ts";
import type { SecondFactorDeps } from "./second-factor-proof.ts";
import type { SessionDeps } from "./sessions.ts";
import { createUserStore, type UserStore } from "./store/users.ts";

export interface PeopleDeps extends SessionDeps, SecondFactorDeps {
  readonly users: UserStore;
}

interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

/** Makes a viewer; the name is compared without case. */
export async function register(
  deps: PeopleDeps,
  { name, password }: NameAndPassword,
  caller: Caller,
): Promise<User | "name_taken" | "weak_password"> {
  const { passwords, audit, peopleEvents, newId } = deps;
  await deps.defence.guard("registration", networkOf(caller.address), caller);
  const refused = { event: "user_created", outcome: "failure", action: "registration" } as const;
  if (isGuessable(password, name)) {
    peopleEvents.refused("registration", "weak_password");
    await audit.record(caller, { ...refused, reason: "weak_password" });
    return "weak_password";
  }
  const passwordHash = await orThrottled(deps, "registration", passwords.hash(password));
  const user: User = { id: newId(), name, role: "viewer" };
  const added = await audit.transaction(caller, async (tx, note) => {
    const done = await createUserStore(tx).add({ ...user, passwordHash });
    note(
      done
        ? { ...refused, outcome: "success", actor: user.id, reason: user.role }
        : { ...refused, reason: "name_taken" },
    );
    return done;
  });
  if (!added) {
    peopleEvents.refused("registration", "name_taken");
    return "name_taken";
  }
  peopleEvents.succeeded("registration");
  return user;
}

/** Counts work that too much other work waited before. */
export async function orThrottled<T>(
  { peopleEvents }: Pick<PeopleDeps, "peopleEvents">,
  method: AttemptMethod,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ServiceError && error.reason === "busy") peopleEvents.refused(method, "throttled");
    throw error;
  }
}
