-- A client proves who it is by a secret or by a key of its own (private_key_jwt); one of them it has.
alter table clients alter column secret_hash drop not null;
alter table clients add column jwks jsonb;
alter table clients add constraint clients_credential check (secret_hash is not null or jwks is not null);

-- Assertions taken so far, until they expire: none is taken twice.
create table client_assertions (
  client_id text not null,
  jti_hash bytea not null,
  expires_at timestamptz not null,
  primary key (client_id, jti_hash)
);
