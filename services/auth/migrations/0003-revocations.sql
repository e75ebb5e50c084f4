-- What gateways follow: identities taken back, and ingest keys added. `seq` is given as the last act before commit, under
-- a lock held until the commit is visible: sequence order is commit order, so a reader never passes a row by.
create sequence feed_seq;

create table feed_entries (
  id bigint generated always as identity primary key,
  seq bigint unique,
  kind text not null check (kind in ('jti', 'session', 'user', 'client', 'ingest_key', 'ingest_key_added')),
  subject text not null,
  at timestamptz not null,
  expires_at timestamptz not null
);

create index feed_entries_expires_at on feed_entries (expires_at);

-- Entries up to here may have been removed: a reader that stopped before it starts again from everything live.
create table feed_floor (
  only_row boolean primary key default true check (only_row),
  seq bigint not null
);

insert into feed_floor (seq) values (0);

create function number_feed_entry() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('vitrine auth feed'), hashtext(current_schema()::text))
  ; update feed_entries set seq = nextval('feed_seq') where id = new.id
  ; perform pg_notify('vitrine_auth_feed', current_schema()::text)
  ; return null
  ; end
$$;

create constraint trigger number_feed_entry after insert on feed_entries
  deferrable initially deferred for each row execute function number_feed_entry();
