-- Buy and sell, payment and expiry. An order keeps what lists filter by, as it was at the time of the order.
alter table orders
  drop constraint orders_status_check,
  drop constraint orders_reason_check,
  drop constraint orders_check,
  drop constraint orders_check1,
  drop constraint orders_check2,
  drop column settled_at,
  add column kind text not null default 'buy',
  add column maison text,
  add column piece_kind text,
  add column changed_at timestamptz not null default now(),
  add column expires_at timestamptz;

update orders o set maison = p.maison, piece_kind = p.kind, changed_at = o.created_at,
  -- What was reserved before there was payment can still be paid for a while.
  expires_at = case when o.status = 'reserved' then now() + interval '1 day' end
  from pieces p where p.id = o.piece_id;

alter table orders
  alter column maison set not null,
  alter column piece_kind set not null,
  add constraint orders_kind check (kind in ('buy', 'sell')),
  add constraint orders_status check
    (status in ('placed', 'reserved', 'paid', 'fulfilled', 'failed', 'cancelled', 'expired')),
  add constraint orders_reason check (reason in ('out_of_stock', 'not_owned', 'inventory_unavailable', 'interrupted',
    'reservation_lost', 'customer', 'not_paid')),
  add constraint orders_end_has_reason check ((status in ('failed', 'cancelled', 'expired')) = (reason is not null)),
  add constraint orders_reserved_expire check (status <> 'reserved' or expires_at is not null),
  add constraint orders_release check (not release_due or status in ('failed', 'cancelled', 'expired'));

insert into customers (id, created_at, last_active_at)
  select customer, min(created_at), max(created_at) from orders group by customer;

alter table orders add foreign key (customer) references customers;

alter table accounts add foreign key (lot) references orders;

create index orders_by_status on orders (status, id desc);

create index orders_by_maison on orders (maison, id desc);

-- What the sweep looks for: all stay as small as the trouble is.
create index orders_expiring on orders (expires_at) where status = 'reserved';

create index orders_paid on orders (changed_at) where status = 'paid';

create table order_events (
  id bigint generated always as identity primary key,
  order_id uuid not null references orders,
  status text not null,
  reason text,
  request_id text not null,
  at timestamptz not null default now()
);

create index order_events_by_order on order_events (order_id, id);

insert into order_events (order_id, status, request_id, at)
  select id, 'placed', request_id, created_at from orders order by id;

insert into order_events (order_id, status, reason, request_id, at)
  select id, status, reason, request_id, changed_at from orders where status <> 'placed' order by id;

create trigger order_events_append_only before update or delete or truncate on order_events
  for each statement execute function refuse_change();
