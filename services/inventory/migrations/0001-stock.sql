-- What is on the shelf and what is set aside for orders. Rows are never deleted.
create table stock (
  piece_id text collate "C" primary key check (piece_id ~ '^[a-z0-9][a-z0-9-]{2,63}$'),
  available bigint not null check (available between 0 and 9007199254740991),
  reserved bigint not null check (reserved between 0 and 9007199254740991),
  updated_at timestamptz not null default now()
);

-- The id is the caller's. A released row without a piece was released before it was asked for: it keeps a request
-- that arrives late from taking stock nobody would give back.
create table reservations (
  id uuid primary key,
  piece_id text collate "C" references stock,
  quantity integer check (quantity between 1 and 100),
  status text not null check (status in ('held', 'released')),
  created_at timestamptz not null default now(),
  released_at timestamptz,
  check ((piece_id is null) = (quantity is null)),
  check (status = 'released' or piece_id is not null),
  check ((status = 'released') = (released_at is not null))
);

-- Every change of stock: per piece the deltas add up to the row in stock.
create table movements (
  id bigint generated always as identity primary key,
  piece_id text collate "C" not null references stock deferrable initially deferred,
  kind text not null check (kind in ('restock', 'reserve', 'release')),
  available_delta integer not null,
  reserved_delta integer not null,
  reservation_id uuid references reservations,
  actor text not null,
  idempotency_key text,
  created_at timestamptz not null default now(),
  check ((kind = 'restock') = (reservation_id is null)),
  check (kind = 'restock' or available_delta = -reserved_delta)
);

create index movements_by_piece on movements (piece_id, id);

create unique index movements_idempotency on movements (actor, idempotency_key) where idempotency_key is not null;

create function refuse_change() returns trigger language plpgsql as $$ begin raise exception 'movements are append-only'; end $$;

create trigger movements_append_only before update or delete or truncate on movements
  for each statement execute function refuse_change();
