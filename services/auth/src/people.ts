import type { User } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import type { Audit } from "./audit.ts";
import type { Caller } from "./caller.ts";
import { isGuessable } from "./common-passwords.ts";
import type { Passwords } from "./passwords.ts";
import type { AttemptMethod, PeopleEvents } from "./people-events.ts";
import { openSession, type OpenSession, type Opening, type SessionDeps } from "./sessions.ts";
import { createUserStore, type UserStore } from "./store/users.ts";

export interface PeopleDeps extends SessionDeps {
  readonly users: UserStore;
  readonly passwords: Passwords;
  readonly audit: Audit;
  readonly peopleEvents: PeopleEvents;
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

/** Opens a session for the person whose name and password these are. An unknown name costs what a wrong password does. */
export async function signIn(
  deps: PeopleDeps,
  { name, password }: NameAndPassword,
  kind: Opening["kind"],
  caller: Caller,
): Promise<OpenSession | undefined> {
  const { users, passwords, audit, peopleEvents } = deps;
  const user = await users.findByName(name);
  const matches = await orThrottled(deps, "password", passwords.verify(password, user?.passwordHash));
  const attempt = { action: "password", actor: user?.id } as const;
  if (!matches || user === undefined) {
    peopleEvents.refused("password", "invalid_credentials");
    const reason = "invalid_credentials";
    await audit.record(caller, { ...attempt, event: "authn_login_fail", outcome: "failure", reason });
    return undefined;
  }
  const opened = await audit.transaction(caller, async (tx, note) => {
    const open = await openSession(tx, deps, user, caller, { kind, provenTwice: false });
    const success = { ...attempt, outcome: "success", session: open.session.id } as const;
    note({ ...success, event: "authn_login_success" });
    note({ ...success, event: "session_created", action: kind });
    return open;
  });
  peopleEvents.succeeded("password");
  return opened;
}

async function orThrottled<T>({ peopleEvents }: PeopleDeps, method: AttemptMethod, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ServiceError && error.reason === "busy") peopleEvents.refused(method, "throttled");
    throw error;
  }
}
