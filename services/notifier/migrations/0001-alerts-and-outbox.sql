-- One row per alert from its start to its end; `revision` counts its changes, so that each can be named.
create table alerts (
  id uuid primary key,
  fingerprint text collate "C" not null,
  group_key text not null,
  name text not null,
  tier text not null check (tier in ('critical', 'warning', 'info', 'watchdog')),
  status text not null check (status in ('firing', 'resolved')),
  revision integer not null,
  labels jsonb not null,
  annotations jsonb not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  received_at timestamptz not null,
  last_received_at timestamptz not null,
  -- When messages last told of it: what Alertmanager repeats sooner is a retry, later a reminder.
  told_at timestamptz not null,
  unique (fingerprint, started_at),
  check ((status = 'resolved') = (ended_at is not null))
);

create index alerts_firing on alerts (fingerprint) where status = 'firing';

-- `settings` is sealed: addresses of chat webhooks, signing secrets and passwords are in it.
create table targets (
  id uuid primary key,
  name text collate "C" not null unique,
  channel text not null check (channel in ('webhook', 'slack', 'discord', 'mail')),
  destination text not null,
  settings bytea not null,
  enabled boolean not null,
  tiers text[] not null,
  matchers jsonb not null,
  send_resolved boolean not null,
  quiet_hours jsonb,
  preset boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- The outbox: one row per message to one target, in the order of `seq`. Changes of alerts are added to a message
-- until it is `sealed`, which it is before it is sent for the first time: one id never means two contents.
create table deliveries (
  id uuid primary key,
  seq bigint generated always as identity unique,
  target_id uuid not null references targets on delete cascade,
  group_key text not null,
  tier text not null check (tier in ('critical', 'warning', 'info', 'watchdog')),
  changes jsonb not null,
  fingerprints text[] not null,
  alert_ids uuid[] not null,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
  sealed boolean not null default false,
  attempts integer not null default 0,
  -- Attempts since it was put into the outbox or replayed: what the pause between two depends on.
  tries integer not null default 0,
  created_at timestamptz not null,
  due_at timestamptz not null,
  next_attempt_at timestamptz not null,
  ended_at timestamptz,
  failure text,
  failure_status integer,
  check ((state = 'waiting') = (ended_at is null))
);

create index deliveries_waiting on deliveries (target_id, seq) where state = 'waiting';

create index deliveries_dead on deliveries (target_id, id) where state = 'dead';

create index deliveries_by_alert on deliveries using gin (alert_ids);
