import type { User } from "@vitrine/contracts/auth";
import { attempt } from "./attempt.ts";
import { type Caller, networkOf } from "./caller.ts";
import { isGuessable } from "./common-passwords.ts";
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

type Registered = User | "name_taken" | "weak_password";

/** Makes a viewer; the name is compared without case. @throws ThrottledError */
export function register(deps: PeopleDeps, claimed: NameAndPassword, caller: Caller): Promise<Registered> {
  return attempt(deps, "registration", () => makeViewer(deps, claimed, caller));
}

async function makeViewer(deps: PeopleDeps, { name, password }: NameAndPassword, caller: Caller): Promise<Registered> {
  const { passwords, audit, peopleEvents, newId } = deps;
  await deps.defence.guard("registration", networkOf(caller.address), caller, "registration");
  const refused = { event: "user_created", outcome: "failure", action: "registration" } as const;
  if (isGuessable(password, name)) {
    peopleEvents.refused("registration", "weak_password");
    await audit.record(caller, { ...refused, reason: "weak_password" });
    return "weak_password";
  }
  const passwordHash = await passwords.hash(password);
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
