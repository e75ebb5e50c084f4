import type { Customer } from "@vitrine/contracts/customers";
import type { Database } from "@vitrine/kit/postgres";

export interface CustomerStore {
  find(id: string): Promise<Customer | undefined>;
  /** Up to `count` customers after `after`, ordered by id. */
  list(after: string | undefined, count: number): Promise<readonly Customer[]>;
  openOrders(id: string): Promise<number>;
}

interface CustomerRow {
  readonly id: string;
  readonly created_at: Date;
  readonly last_active_at: Date;
  readonly [column: string]: unknown;
}

const columns = "id, created_at, last_active_at";

export function createCustomerStore(database: Database): CustomerStore {
  return {
    find: async (id) => {
      const [row] = await database.query<CustomerRow>(`select ${columns} from customers where id = $1`, [id]);
      return row === undefined ? undefined : toCustomer(row);
    },
    list: async (after, count) => {
      const rows = await database.query<CustomerRow>(
        `select ${columns} from customers where id > $1 order by id limit $2`,
        [after ?? "", count],
      );
      return rows.map(toCustomer);
    },
    openOrders: async (id) => {
      const [row] = await database.query<{ count: string }>(
        "select count(*) from orders where customer = $1 and status in ('placed', 'reserved', 'paid')",
        [id],
      );
      return Number(row?.count ?? 0);
    },
  };
}

function toCustomer({ id, created_at, last_active_at }: CustomerRow): Customer {
  return { id, since: created_at.toISOString(), lastActiveAt: last_active_at.toISOString() };
}
