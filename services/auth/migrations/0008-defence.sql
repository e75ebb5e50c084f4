-- Attempts to prove an identity, by whatever they are limited by. Keys are keyed hashes: neither names nor addresses
-- can be read here. Times are milliseconds since the epoch, of the service's clock.
create table throttles (
  key bytea primary key,
  attempts integer not null,
  refused integer not null default 0,
  last_at_ms bigint not null,
  blocked_until_ms bigint not null
);

create index throttles_last_at_ms on throttles (last_at_ms);

-- Where a person has signed in from: hash of the network, hash of the agent.
create table known_devices (
  user_id uuid not null references users (id) on delete cascade,
  network bytea not null,
  agent bytea not null,
  last_at timestamptz not null,
  primary key (user_id, network, agent)
);

-- Which accounts one address failed at lately.
create table failed_accounts (
  network bytea not null,
  account bytea not null,
  last_at timestamptz not null,
  primary key (network, account)
);

create index failed_accounts_last_at on failed_accounts (last_at);
