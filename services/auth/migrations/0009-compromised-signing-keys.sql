-- A signing key that leaked is taken back like anything else: gateways refuse what it signed as soon as they hear of it.
alter table feed_entries drop constraint feed_entries_kind_check;

alter table feed_entries add constraint feed_entries_kind_check
  check (kind in ('jti', 'session', 'user', 'client', 'ingest_key', 'ingest_key_added', 'signing_key'));
