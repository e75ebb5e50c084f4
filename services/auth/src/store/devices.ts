import type { Queryable } from "@vitrine/kit/postgres";

/** Hashes of the network and of the agent. */
export interface Device {
  readonly network: Uint8Array;
  readonly agent: Uint8Array;
}

export interface DeviceStore {
  /** Whether the person of this name signed in from there; a name nobody has costs the same. */
  isKnown(name: string, device: Device, sinceMs: number): Promise<boolean>;
  /** What of a device was seen with the person before. */
  compare(
    userId: string,
    device: Device,
    sinceMs: number,
  ): Promise<{ readonly any: boolean; readonly network: boolean; readonly agent: boolean }>;
  /** Stores the device; returns from how many networks the person signed in within the time, this one included. */
  remember(userId: string, device: Device, atMs: number, withinMs: number): Promise<number>;
  /** Returns the number of accounts the network failed at within the time, when this is a new one among them. */
  addFailure(
    failure: { readonly network: Uint8Array; readonly account: Uint8Array },
    atMs: number,
    withinMs: number,
  ): Promise<number | undefined>;
  prune(beforeMs: number): Promise<void>;
}

export function createDeviceStore(database: Queryable): DeviceStore {
  return {
    isKnown: async (name, { network, agent }, sinceMs) => {
      // What PostgreSQL does not take as text is nobody's name.
      if (name.includes("\0")) return false;
      const rows = await database.query(
        `select 1 from known_devices d join users u on u.id = d.user_id
         where lower(u.name) = $1 and d.network = $2 and d.agent = $3 and d.last_at > $4`,
        [name, Buffer.from(network), Buffer.from(agent), new Date(sinceMs)],
      );
      return rows.length > 0;
    },
    compare: async (userId, { network, agent }, sinceMs) => {
      const [row] = await database.query<{ any: boolean; network: boolean; agent: boolean }>(
        `select count(*) > 0 as any, coalesce(bool_or(network = $2), false) as network,
                coalesce(bool_or(agent = $3), false) as agent
         from known_devices where user_id = $1 and last_at > $4`,
        [userId, Buffer.from(network), Buffer.from(agent), new Date(sinceMs)],
      );
      return row ?? { any: false, network: false, agent: false };
    },
    remember: async (userId, { network, agent }, atMs, withinMs) => {
      await database.query(
        `insert into known_devices (user_id, network, agent, last_at) values ($1, $2, $3, $4)
         on conflict (user_id, network, agent) do update set last_at = excluded.last_at`,
        [userId, Buffer.from(network), Buffer.from(agent), new Date(atMs)],
      );
      const [row] = await database.query<{ networks: number }>(
        "select count(distinct network)::int as networks from known_devices where user_id = $1 and last_at > $2",
        [userId, new Date(atMs - withinMs)],
      );
      return row?.networks ?? 1;
    },
    addFailure: async ({ network, account }, atMs, withinMs) => {
      const since = new Date(atMs - withinMs);
      const [added] = await database.query<{ before: Date | null }>(
        `with known as (select last_at from failed_accounts where network = $1 and account = $2)
         insert into failed_accounts (network, account, last_at) values ($1, $2, $3)
         on conflict (network, account) do update set last_at = excluded.last_at
         returning (select last_at from known) as before`,
        [Buffer.from(network), Buffer.from(account), new Date(atMs)],
      );
      if (added?.before !== null && added?.before !== undefined && added.before > since) return undefined;
      const [row] = await database.query<{ accounts: number }>(
        "select count(*)::int as accounts from failed_accounts where network = $1 and last_at > $2",
        [Buffer.from(network), since],
      );
      return row?.accounts;
    },
    prune: async (beforeMs) => {
      await database.query("delete from failed_accounts where last_at < $1", [new Date(beforeMs)]);
    },
  };
}
