import type { Loot } from "./attacks.ts";
import { createCustomer, type Customer } from "./customer.ts";
import type { Gateway } from "./gateway.ts";
import { makePopulation } from "./population.ts";
import { createRandom } from "./random.ts";
import { createDoor, createSession } from "./session.ts";

export interface PeopleOptions {
  readonly count: number;
  readonly seed: string;
  /** What names and passwords are made from. */
  readonly secret: string;
  readonly gateway: Gateway;
  readonly pieceIds: readonly string[];
  readonly isNewWorld: () => boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly skewMs: () => number;
}

/** A crowd that signs in at the opening of a shop would be its slowest minutes: each costs auth a hash or two. */
const signInsAtOnce = 2;

/** The customers, and what somebody who attacks them has got hold of. */
export function createPeople(options: PeopleOptions): { readonly customers: readonly Customer[]; readonly loot: Loot } {
  const { count, seed, secret, gateway, pieceIds, isNewWorld, now, skewMs } = options;
  const identities = makePopulation(count, seed, secret);
  const door = createDoor(signInsAtOnce);
  const sessions = identities.map((identity) => createSession({ identity, gateway, isNewWorld, now, skewMs, door }));
  const customers = sessions.map((session, index) =>
    createCustomer({ session, gateway, pieceIds, random: createRandom(`${seed} customer ${index}`) }),
  );
  const stolen = (kind: "good" | "expired") =>
    sessions
      .values()
      .map((session) => session.stolen()[kind])
      .find((token) => token !== undefined);
  const loot: Loot = {
    random: createRandom(`${seed} loot`),
    names: identities.map(({ name }) => name),
    token: () => stolen("good"),
    expiredToken: () => stolen("expired"),
  };
  return { customers, loot };
}
