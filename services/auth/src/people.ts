import type { User } from "@vitrine/contracts/auth";
import { ServiceError } from "@vitrine/kit/errors";
import { isGuessable } from "./common-passwords.ts";
import type { AuthEvents } from "./events.ts";
import type { Passwords } from "./passwords.ts";
import type { UserStore } from "./store/users.ts";

export interface PeopleDeps {
  readonly users: UserStore;
  readonly passwords: Passwords;
  readonly events: AuthEvents;
  readonly newId: () => string;
}

interface NameAndPassword {
  readonly name: string;
  readonly password: string;
}

/** Makes a viewer; the name is compared without case. */
export async function register(
  { users, passwords, events, newId }: PeopleDeps,
  { name, password }: NameAndPassword,
): Promise<User | "name_taken" | "weak_password"> {
  if (isGuessable(password, name)) {
    events.registrationRefused("weak_password");
    return "weak_password";
  }
  const passwordHash = await orThrottled(passwords.hash(password), () => events.registrationRefused("throttled"));
  const user: User = { id: newId(), name, role: "viewer" };
  if (!(await users.add({ ...user, passwordHash }))) {
    events.registrationRefused("name_taken");
    return "name_taken";
  }
  events.registered(user);
  return user;
}

/** The person whose name and password these are. An unknown name costs what a wrong password does. */
export async function signIn(
  { users, passwords, events }: PeopleDeps,
  { name, password }: NameAndPassword,
): Promise<User | undefined> {
  const user = await users.findByName(name);
  const matches = await orThrottled(passwords.verify(password, user?.passwordHash), () =>
    events.signInRefused("throttled", user?.id),
  );
  if (!matches || user === undefined) {
    events.signInRefused("invalid_credentials", user?.id);
    return undefined;
  }
  events.signedIn(user);
  return user;
}

async function orThrottled<T>(work: Promise<T>, onThrottled: () => void): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ServiceError && error.reason === "busy") onThrottled();
    throw error;
  }
}
