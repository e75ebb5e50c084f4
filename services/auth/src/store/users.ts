import { type User, userName } from "@vitrine/contracts/auth";
import { type Role, roles } from "@vitrine/contracts/scopes";
import type { Queryable } from "@vitrine/kit/postgres";
import { z } from "zod";

interface NewUser {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string;
  readonly demo?: boolean;
}

export interface StoredUser extends User {
  readonly passwordHash: string;
  /** Everyone knows the password: what it may do is for one visit, never for the next visitor. */
  readonly demo: boolean;
}

/** People by name and id; who is disabled is not found. */
export interface UserStore {
  /** False when the name is taken, whatever its case. */
  add(user: NewUser): Promise<boolean>;
  findByName(name: string): Promise<StoredUser | undefined>;
  findById(id: string): Promise<User | undefined>;
  findWithPassword(id: string): Promise<StoredUser | undefined>;
  /**
   * The person as they are now, and stay until the transaction ends; undefined once they are disabled or have another
   * password than `user` says.
   */
  hold(user: Pick<StoredUser, "id" | "passwordHash">): Promise<StoredUser | undefined>;
  /** False when the hash is no longer `oldHash`: somebody else changed it first. */
  changePassword(id: string, oldHash: string, newHash: string): Promise<boolean>;
  hasAdmin(): Promise<boolean>;
  /** Enables or disables the demo visitor; false when there is none. */
  setDemoEnabled(enabled: boolean): Promise<boolean>;
}

const storedUser = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  passwordHash: z.string(),
  demo: z.boolean(),
});

const columns = `id, name, role, password_hash as "passwordHash", demo`;

export function createUserStore(database: Queryable): UserStore {
  return {
    add: async ({ id, name, role, passwordHash, demo = false }) => {
      const added = await database.query(
        `insert into users (id, name, role, password_hash, demo) values ($1, $2, $3, $4, $5)
         on conflict do nothing returning id`,
        [id, name, role, passwordHash, demo],
      );
      return added.length === 1;
    },
    findByName: async (text) => {
      // What cannot be a name is not asked for: PostgreSQL refuses text with NUL in it.
      const name = userName.safeParse(text);
      if (!name.success) return undefined;
      const [row] = await database.query(
        `select ${columns} from users where lower(name) = lower($1) and disabled_at is null`,
        [name.data],
      );
      return row === undefined ? undefined : storedUser.parse(row);
    },
    findById: async (id) => {
      const [row] = await database.query("select id, name, role from users where id = $1 and disabled_at is null", [
        id,
      ]);
      return row === undefined ? undefined : storedUser.omit({ passwordHash: true, demo: true }).parse(row);
    },
    findWithPassword: async (id) => {
      const [row] = await database.query(`select ${columns} from users where id = $1 and disabled_at is null`, [id]);
      return row === undefined ? undefined : storedUser.parse(row);
    },
    hold: async ({ id, passwordHash }) => {
      const [row] = await database.query(
        `select ${columns} from users where id = $1 and password_hash = $2 and disabled_at is null for share`,
        [id, passwordHash],
      );
      return row === undefined ? undefined : storedUser.parse(row);
    },
    changePassword: async (id, oldHash, newHash) => {
      const changed = await database.query(
        "update users set password_hash = $3 where id = $1 and password_hash = $2 returning id",
        [id, oldHash, newHash],
      );
      return changed.length === 1;
    },
    hasAdmin: async () => {
      const admins = await database.query("select id from users where role = 'admin' and disabled_at is null limit 1");
      return admins.length > 0;
    },
    setDemoEnabled: async (enabled) => {
      const changed = await database.query(
        "update users set disabled_at = case when $1 then null else coalesce(disabled_at, now()) end where demo returning id",
        [enabled],
      );
      return changed.length > 0;
    },
  };
}
