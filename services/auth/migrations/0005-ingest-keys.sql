create table ingest_keys (
  id text primary key,
  name text not null,
  -- SHA-256 of the whole key: 256 random bits need no slow hash.
  hash bytea not null,
  scopes text[] not null,
  service text,
  service_prefix text,
  preset boolean not null,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by text,
  last_used_at timestamptz,
  check ((service is null) <> (service_prefix is null))
);

create index ingest_keys_name on ingest_keys (name);
