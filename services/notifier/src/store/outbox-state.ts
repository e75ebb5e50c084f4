import type { Queryable } from "@vitrine/kit/postgres";

/** What waits in the outbox, for metrics. */
export interface OutboxState {
  readonly due: number;
  readonly held: number;
  readonly dead: number;
  /** Per target by name: seconds since its oldest message was due. */
  readonly oldestDueSeconds: ReadonlyMap<string, number>;
}

export async function readOutboxState(on: Queryable, now: number): Promise<OutboxState> {
  const rows = await on.query<{ name: string; due: number; held: number; dead: number; oldest: Date | null }>(
    `select t.name,
       count(d.id) filter (where d.state = 'waiting' and d.due_at <= $1)::integer as due,
       count(d.id) filter (where d.state = 'waiting' and d.due_at > $1)::integer as held,
       count(d.id) filter (where d.state = 'dead')::integer as dead,
       min(d.due_at) filter (where d.state = 'waiting' and d.due_at <= $1) as oldest
     from targets t left join deliveries d on d.target_id = t.id and d.state <> 'delivered'
     where t.enabled group by t.name`,
    [new Date(now)],
  );
  const sum = (name: "due" | "held" | "dead") => rows.reduce((total, row) => total + row[name], 0);
  return {
    due: sum("due"),
    held: sum("held"),
    dead: sum("dead"),
    oldestDueSeconds: new Map(
      rows.map(({ name, oldest }) => [name, oldest === null ? 0 : (now - oldest.getTime()) / 1_000]),
    ),
  };
}
