-- Security events in the order they were stored. `hash` covers every other column and the hash before, so that a row
-- that is altered, removed or put in between shows; see src/audit-chain.ts.
create table audit_log (
  seq bigint primary key check (seq > 0),
  at timestamptz not null,
  event text not null,
  outcome text not null check (outcome in ('success', 'failure')),
  action text not null,
  actor text,
  target text,
  reason text,
  request_id text,
  address text,
  user_agent text,
  session_id text,
  client_id text,
  previous_hash bytea not null,
  hash bytea not null
);

create index audit_log_actor on audit_log (actor, seq);

create function refuse_audit_change() returns trigger language plpgsql as
  $$ begin raise exception 'audit_log is append-only' using errcode = 'insufficient_privilege'; end $$;

create trigger audit_log_rows before update or delete on audit_log
  for each row execute function refuse_audit_change();

create trigger audit_log_table before truncate on audit_log
  for each statement execute function refuse_audit_change();
