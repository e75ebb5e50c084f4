create table users (
  id uuid primary key,
  name text not null,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  password_hash text not null,
  demo boolean not null default false,
  created_at timestamptz not null default now(),
  disabled_at timestamptz
);

create unique index users_name_key on users (lower(name));

create table clients (
  client_id text primary key,
  secret_hash bytea not null,
  service text,
  scopes text[] not null,
  may_impersonate boolean not null,
  preset boolean not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  disabled_at timestamptz
);

-- A key is published from the moment it is stored, signs from not_before and is published until retired_at, which
-- therefore lies at least one token lifetime after the not_before of its successor.
create table signing_keys (
  kid text primary key,
  public_jwk jsonb not null,
  sealed_private_jwk bytea not null,
  created_at timestamptz not null default now(),
  not_before timestamptz not null,
  retired_at timestamptz
);
