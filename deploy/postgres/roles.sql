-- A role and a schema of its own for every service that keeps data. Run as superuser in the database `vitrine`, at the
-- first start or at any later one: it can be repeated, and it sets the passwords anew.
--
-- Passwords come from the settings vitrine.<role>_password, one for each service and one for the collector:
--   with psql      PGOPTIONS="-c vitrine.auth_password=… -c vitrine.orders_password=… …"
--   in a session   select set_config('vitrine.auth_password', '…', false)

revoke all on schema public from public;

do $$
declare
  service text;
  secret text;
begin
  execute format('revoke connect, temporary on database %I from public', current_database());

  foreach service in array array['auth', 'orders', 'inventory', 'console', 'notifier'] loop
    secret := current_setting(format('vitrine.%s_password', service), true);
    if coalesce(secret, '') = '' then
      raise exception 'the setting vitrine.%_password is empty', service
        using hint = 'deploy/postgres/roles.sql says at its top how to set it';
    end if;

    if not exists (select from pg_roles where rolname = service) then
      execute format('create role %I', service);
    end if;
    -- The limit leaves room for the others: one service whose pool runs wild must not shut them out.
    execute format(
      'alter role %I with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 25 password %L',
      service, secret
    );
    execute format('grant connect on database %I to %I', current_database(), service);
    execute format('create schema if not exists %I', service);
    execute format('alter schema %I owner to %I', service, service);
    execute format('alter role %I in database %I set search_path = %I', service, current_database(), service);
  end loop;

  -- Reads statistics of everything and rows of nothing; it may neither fill the connections nor hold one up.
  secret := current_setting('vitrine.collector_password', true);
  if coalesce(secret, '') = '' then
    raise exception 'the setting vitrine.collector_password is empty'
      using hint = 'deploy/postgres/roles.sql says at its top how to set it';
  end if;
  if not exists (select from pg_roles where rolname = 'collector') then
    create role collector;
  end if;
  execute format(
    'alter role collector with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit 8 password %L',
    secret
  );
  alter role collector set statement_timeout = '10s';
  grant pg_monitor to collector;
  execute format('grant connect on database %I to collector', current_database());
end
$$;
