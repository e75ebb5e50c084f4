-- Messages (by `seq`) that were waiting before it and are about the same group or alert: it waits for them to be
-- delivered or given up. Kept, since to find them anew at every look costs the square of what waits.
alter table deliveries add column after bigint[] not null default '{}';
