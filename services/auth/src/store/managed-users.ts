import { type ListedUser, listedUser } from "@vitrine/contracts/users";
import type { Role } from "@vitrine/contracts/scopes";
import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";

/** People as administrators see them: those who are disabled too. */
export interface ManagedUserStore {
  find(id: string): Promise<ListedUser | undefined>;
  /** Ordered by name, from after `after` on. */
  page(limit: number, after: string): Promise<readonly ListedUser[]>;
  setRole(id: string, role: Role): Promise<void>;
  setDisabled(id: string, disabled: boolean): Promise<void>;
  setPasswordHash(id: string, hash: string): Promise<void>;
  /** Administrators who can sign in. */
  admins(): Promise<readonly string[]>;
}

const columns = `id, name, role, demo, disabled_at is not null as disabled, created_at as "createdAt"`;

const row = z
  .object({ createdAt: z.date().transform((date) => date.toISOString()) })
  .loose()
  .pipe(listedUser);

const userId = z.uuid();

export function createManagedUserStore(database: Queryable): ManagedUserStore {
  async function update(assignment: string, id: string, ...values: readonly unknown[]): Promise<void> {
    await database.query(`update users set ${assignment} where id = $1`, [id, ...values]);
  }

  return {
    find: async (id) => {
      if (!userId.safeParse(id).success) return undefined;
      const [found] = await database.query(`select ${columns} from users where id = $1`, [id]);
      return found === undefined ? undefined : row.parse(found);
    },
    page: async (limit, after) => {
      const rows = await database.query(
        `select ${columns} from users where lower(name) > lower($1) order by lower(name) limit $2`,
        [after, limit],
      );
      return rows.map((found) => row.parse(found));
    },
    setRole: (id, role) => update("role = $2", id, role),
    setDisabled: (id, disabled) =>
      update("disabled_at = case when $2 then coalesce(disabled_at, now()) end", id, disabled),
    setPasswordHash: (id, hash) => update("password_hash = $2", id, hash),
    admins: async () => {
      const rows = await database.query<{ id: string }>(
        "select id from users where role = 'admin' and disabled_at is null",
      );
      return rows.map(({ id }) => id);
    },
  };
}
