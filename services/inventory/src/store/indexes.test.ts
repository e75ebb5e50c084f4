import { afterAll, beforeAll, expect, test } from "bun:test";
import { startInventory } from "../testing/start-inventory.ts";
import { dueQuery } from "./ending.ts";
import { listReservationsQuery } from "./reservations.ts";
import { listQuery, movementsQuery } from "./stock.ts";

let inventory: Awaited<ReturnType<typeof startInventory>>;

/** So many rows that reading a whole table is what the planner would rather not do. */
beforeAll(async () => {
  inventory = await startInventory();
  await inventory.server.run(
    `
    insert into stock (piece_id, maison, kind, available, reserved)
      select 'piece-' || n, 'Maison ' || n % 40, (array['watch', 'jewellery', 'leather', 'couture'])[1 + n % 4],
        case when n % 50 = 0 then 2 else 20 end, 0 from generate_series(1, 20000) n;
    insert into reservations (id, piece_id, quantity, status, expires_at, ended_at)
      select gen_random_uuid(), 'piece-' || 1 + n % 200, 1, case when n % 100 = 0 then 'held' else 'committed' end,
        now() + interval '1 minute' * (n % 1000 - 100), case when n % 100 = 0 then null else now() end
      from generate_series(1, 50000) n;
    insert into movements (piece_id, kind, available_delta, reserved_delta, reservation_id, actor)
      select piece_id, 'reserve', -1, 1, id, 'test' from reservations;`,
    "analyze",
  );
}, 120_000);
afterAll(() => inventory.database.close());

const of = (text: string, values: readonly unknown[]) => ({ text, values });
const id = "7f000000-0000-4000-8000-000000000000";

test.each([
  ["all stock", listQuery({}, "piece-100", 21), "stock_pkey"],
  ["stock of a maison", listQuery({ maison: "Maison 7" }, "", 21), "stock_by_maison"],
  ["stock of a kind", listQuery({ kind: "watch" }, "piece-100", 21), "stock_(by_kind|pkey)"],
  ["stock that runs low", listQuery({ low: true }, "", 101), "stock_low"],
  ["movements of a piece", of(movementsQuery, ["piece-7", "9223372036854775807", 21]), "movements_by_piece"],
  ["all reservations", listReservationsQuery({}, id, 21), "reservations_pkey"],
  ["reservations of a piece", listReservationsQuery({ pieceId: "piece-7" }, undefined, 21), "reservations_by_piece"],
  ["reservations in a state", listReservationsQuery({ status: "held" }, id, 101), "reservations_by_status"],
  ["reservations past their time", of(dueQuery, []), "reservations_due"],
])("%s: found by an index, no table read whole", async (_, { text, values }, index) => {
  const rows = await inventory.database.query<{ "QUERY PLAN": string }>(`explain ${text}`, values);
  const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
  expect(plan).toMatch(new RegExp(`Index (Only )?Scan (Backward )?using ${index}|Bitmap Index Scan on ${index}`));
  expect(plan).not.toContain("Seq Scan");
});
