-- Reservations end: sold, given back, or by time. What was held before has as long as a new one.
alter table stock
  add column maison text check (length(maison) between 1 and 80),
  add column kind text check (kind in ('watch', 'jewellery', 'leather', 'couture')),
  add column sold bigint not null default 0 check (sold between 0 and 9007199254740991);

alter table reservations rename column released_at to ended_at;
alter table reservations
  drop constraint reservations_status_check,
  drop constraint reservations_check1,
  drop constraint reservations_check2,
  add column expires_at timestamptz;
update reservations set expires_at = now() + interval '15 minutes' where piece_id is not null;
alter table reservations
  add constraint reservations_status check (status in ('held', 'committed', 'released', 'expired')),
  add constraint reservations_of_a_piece check (status = 'released' or piece_id is not null),
  add constraint reservations_expire check ((piece_id is null) = (expires_at is null)),
  add constraint reservations_end check ((status = 'held') = (ended_at is null));

alter table movements
  drop constraint movements_kind_check,
  drop constraint movements_check,
  drop constraint movements_check1,
  add column sold_delta integer not null default 0,
  add constraint movements_kind check (kind in ('restock', 'return', 'reserve', 'release', 'expire', 'commit')),
  add constraint movements_of_a_reservation check ((kind in ('restock', 'return')) = (reservation_id is null)),
  add constraint movements_balance check (kind in ('restock', 'return') or available_delta + reserved_delta + sold_delta = 0);

create index stock_by_maison on stock (maison, piece_id);
create index stock_by_kind on stock (kind, piece_id);
create index stock_low on stock (piece_id) where available <= 3;
create index reservations_due on reservations (expires_at) where status = 'held';
create index reservations_by_piece on reservations (piece_id, id);
create index reservations_by_status on reservations (status, id);
