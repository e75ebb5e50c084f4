-- Amounts are minor units. A piece costs at most what a hundred of stay exact in a double (2^53 - 1).
create table pieces (
  id text collate "C" primary key check (id ~ '^[a-z0-9][a-z0-9-]{2,63}$'),
  maison text not null check (char_length(maison) between 1 and 80),
  name text not null check (char_length(name) between 1 and 120),
  kind text not null check (kind in ('watch', 'jewellery', 'leather', 'couture')),
  price_amount bigint not null check (price_amount between 0 and 90071992547409),
  price_currency text not null check (price_currency ~ '^[A-Z]{3}$'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index pieces_by_maison on pieces (maison, id);

create index pieces_by_kind on pieces (kind, id);

-- Ids are UUIDv7: their order is the order of time. The price is the one at the time of the order.
create table orders (
  id uuid primary key,
  customer text not null,
  piece_id text collate "C" not null references pieces,
  quantity integer not null check (quantity between 1 and 100),
  unit_amount bigint not null check (unit_amount between 0 and 90071992547409),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  status text not null default 'placed' check (status in ('placed', 'reserved', 'failed')),
  reason text check (reason in ('out_of_stock', 'inventory_unavailable', 'interrupted')),
  idempotency_key text check (char_length(idempotency_key) between 1 and 128),
  request_id text not null,
  release_due boolean not null default false,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  check ((status = 'failed') = (reason is not null)),
  check ((status = 'placed') = (settled_at is null)),
  check (not release_due or status = 'failed')
);

create index orders_by_customer on orders (customer, id desc);

create unique index orders_idempotency on orders (customer, idempotency_key) where idempotency_key is not null;

-- What the sweep looks for: both stay as small as the trouble is.
create index orders_unsettled on orders (created_at) where status = 'placed';

create index orders_release_due on orders (id) where release_due;
