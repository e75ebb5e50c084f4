-- What people set; the owner is empty for what holds for everyone.
create table thresholds (
  owner text collate "C" not null,
  name text collate "C" not null,
  value double precision not null check (value > 0),
  primary key (owner, name)
);

-- Ids are UUIDv7: their order is the order of time.
create table threshold_changes (
  id uuid primary key,
  owner text collate "C" not null,
  name text collate "C" not null,
  before double precision,
  after double precision,
  changed_by text not null,
  changed_at timestamptz not null
);

create index threshold_changes_by_owner on threshold_changes (owner, id desc);
