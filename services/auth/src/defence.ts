import { createHmac, hkdfSync } from "node:crypto";
import type { Queryable } from "@vitrine/kit/postgres";
import type { Audit, AuditEntry, Note } from "./audit.ts";
import { type Caller, networkOf } from "./caller.ts";
import type { AttemptMethod, Limit, PeopleEvents } from "./people-events.ts";
import { createDeviceStore } from "./store/devices.ts";
import { type Bucket, type Throttle, ThrottledError, type ThrottleRule } from "./throttle.ts";

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/**
 * What a stranger does limits that stranger's address, and the account from everywhere by half a minute at most; a
 * device that signed in to the account before has a limit of its own, so that nobody else can use it up.
 */
const rules = {
  address: { free: 30, baseMs: secondMs, maxMs: 5 * minuteMs, forgetMs: hourMs },
  account: { free: 50, baseMs: secondMs, maxMs: 30 * secondMs, forgetMs: hourMs },
  /** Nobody guesses 256 bits: what this limits is how fast a stranger fills the audit log. */
  guessed_secret: { free: 100, baseMs: secondMs, maxMs: 5 * minuteMs, forgetMs: hourMs },
  account_and_address: { free: 5, baseMs: secondMs, maxMs: 15 * minuteMs, forgetMs: 24 * hourMs },
  device: { free: 5, baseMs: secondMs, maxMs: 15 * minuteMs, forgetMs: 24 * hourMs },
  registration: { free: 100, baseMs: secondMs, maxMs: minuteMs, forgetMs: hourMs },
  second_factor: { free: 5, baseMs: 2 * secondMs, maxMs: 15 * minuteMs, forgetMs: 24 * hourMs },
  session: { free: 5, baseMs: secondMs, maxMs: 15 * minuteMs, forgetMs: 24 * hourMs },
} as const satisfies Readonly<Record<Limit, ThrottleRule>>;

/** Failures before a success that make it suspicious. */
const manyFailures = 10;
const manyAccounts = 10;
const manyAccountsWithinMs = hourMs;
const manyNetworks = 3;
const manyNetworksWithinMs = 5 * minuteMs;
const deviceKnownForMs = 90 * 24 * hourMs;

/** An attempt that was let through, with what is known of where it comes from. */
export interface Guard {
  readonly buckets: readonly Bucket[];
  /** How many attempts each bucket has seen, this one included. */
  readonly counts: readonly number[];
  readonly network: Uint8Array;
  readonly agent: Uint8Array;
  readonly account: Uint8Array;
}

export interface Defence {
  /** Lets a sign-in be tried. @throws ThrottledError (429, Retry-After), the same for names nobody has */
  guardSignIn(name: string, caller: Caller): Promise<Guard>;
  /** Lets anything else be tried that guessing could succeed at. @throws ThrottledError */
  guard(
    limit: "registration" | "second_factor" | "session",
    subject: string,
    caller: Caller,
    method: AttemptMethod,
  ): Promise<readonly Bucket[]>;
  /**
   * Counts a token, a challenge or a client's proof that nobody was given. It is asked once that is known, so that a
   * stranger's guesses never keep out what is right. @throws ThrottledError when there are too many from one address
   */
  guessed(caller: Caller, method: AttemptMethod): Promise<void>;
  /** What is to be told of a sign-in that failed, beside that it did. */
  failed(guard: Guard, userId: string | undefined): Promise<readonly AuditEntry[]>;
  /** The password was right. */
  forgive(tx: Queryable, guard: Guard): Promise<void>;
  /** The attempts in these buckets were right. */
  forgiveAll(tx: Queryable, buckets: readonly Bucket[]): Promise<void>;
  /** Remembers the device a person signed in with, and notes what is strange about it. */
  succeeded(tx: Queryable, note: Note, userId: string, caller: Caller, failures?: number): Promise<void>;
}

export interface DefenceOptions {
  readonly throttle: Throttle;
  readonly database: Queryable;
  readonly audit: Audit;
  readonly peopleEvents: PeopleEvents;
  /** 32 bytes. Names and addresses are stored as hashes under a key made of it. */
  readonly encryptionKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createDefence(options: DefenceOptions): Defence {
  const { throttle, database, audit, peopleEvents, now } = options;
  const hashKey = Buffer.from(hkdfSync("sha256", options.encryptionKey, "", "vitrine throttle", 32));
  const hash = (...parts: readonly string[]): Uint8Array =>
    createHmac("sha256", hashKey).update(JSON.stringify(parts)).digest();
  const bucket = (kind: Limit, ...parts: readonly string[]): Bucket => ({
    kind,
    key: hash(kind, ...parts),
    rule: rules[kind],
  });
  const networkHash = (caller: Caller) => hash("network", networkOf(caller.address));
  const agentHash = (caller: Caller) => hash("agent", caller.userAgent ?? "");

  async function take(buckets: readonly Bucket[], caller: Caller, method: AttemptMethod): Promise<readonly number[]> {
    try {
      return await throttle.take(buckets);
    } catch (error) {
      if (error instanceof ThrottledError) {
        peopleEvents.throttled(error.kind);
        peopleEvents.refused(method, "throttled");
        const entry = {
          event: "excess_rate_limit_exceeded",
          outcome: "failure",
          action: method,
          reason: error.kind,
        } as const;
        if (error.first) await audit.record(caller, entry);
      }
      throw error;
    }
  }

  return {
    guardSignIn: async (name, caller) => {
      const account = name.trim().toLowerCase();
      const network = networkOf(caller.address);
      const [networkKey, agent] = [networkHash(caller), agentHash(caller)];
      const since = now() - deviceKnownForMs;
      const known = await createDeviceStore(database).isKnown(account, { network: networkKey, agent }, since);
      const buckets = known
        ? [bucket("device", account, network, caller.userAgent ?? "")]
        : [bucket("address", network), bucket("account", account), bucket("account_and_address", account, network)];
      const counts = await take(buckets, caller, "password");
      return { buckets, counts, network: networkKey, agent, account: hash("account", account) };
    },
    guard: async (limit, subject, caller, method) => {
      const buckets =
        limit === "second_factor"
          ? // Who has the password may guess codes from many addresses at once.
            [bucket(limit, subject, networkOf(caller.address)), bucket("account", limit, subject)]
          : [bucket(limit, subject)];
      await take(buckets, caller, method);
      return buckets;
    },
    guessed: async (caller, method) => {
      await take([bucket("guessed_secret", networkOf(caller.address))], caller, method);
    },
    failed: async ({ buckets, counts, network, account }, userId) => {
      const entries: AuditEntry[] = [];
      const fact = { outcome: "failure", action: "password", target: userId, critical: true } as const;
      for (const [index, { kind, rule }] of buckets.entries()) {
        if (counts[index] !== rule.free + 1) continue;
        peopleEvents.suspected("many_failures");
        entries.push({ ...fact, event: "authn_login_fail_max", reason: kind });
      }
      const failedAt = await createDeviceStore(database).addFailure({ network, account }, now(), manyAccountsWithinMs);
      if (failedAt === manyAccounts) {
        peopleEvents.suspected("many_accounts");
        entries.push({ ...fact, event: "authn_many_accounts" });
      }
      return entries;
    },
    forgive: (tx, { buckets }) =>
      throttle.forgive(
        tx,
        buckets,
        buckets.filter(({ kind }) => kind === "device" || kind === "account_and_address"),
      ),
    forgiveAll: (tx, buckets) => throttle.forgive(tx, buckets, buckets),
    succeeded: async (tx, note, userId, caller, failures = 0) => {
      const devices = createDeviceStore(tx);
      const device = { network: networkHash(caller), agent: agentHash(caller) };
      const known = await devices.compare(userId, device, now() - deviceKnownForMs);
      const networks = await devices.remember(userId, device, now(), manyNetworksWithinMs);
      const fact = { outcome: "success", action: "password", actor: userId, critical: true } as const;
      if (known.any && !known.network && !known.agent) {
        peopleEvents.suspected("new_origin");
        note({ ...fact, event: "authn_new_origin", critical: false });
      }
      if (failures >= manyFailures) {
        peopleEvents.suspected("success_after_failures");
        note({ ...fact, event: "authn_login_successafterfail" });
      }
      if (networks === manyNetworks) {
        peopleEvents.suspected("impossible_pace");
        note({ ...fact, event: "authn_impossible_travel" });
      }
    },
  };
}

/** Failures before this attempt, by the bucket that has seen most of them and speaks of the account. */
export function failuresBefore({ buckets, counts }: Guard): number {
  const ofAccount = counts.filter((_, index) => buckets[index]?.kind !== "address");
  return Math.max(0, ...ofAccount) - 1;
}
