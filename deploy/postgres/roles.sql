-- A role and a schema of its own for every service that keeps data. Run as superuser in the database `vitrine`, at the
-- first start or at any later one: it can be repeated, and it sets the passwords anew.
--
-- Passwords come from the settings vitrine.auth_password, vitrine.orders_password and vitrine.inventory_password:
--   with psql      PGOPTIONS="-c vitrine.auth_password=… -c vitrine.orders_password=… -c vitrine.inventory_password=…"
--   in a session   select set_config('vitrine.auth_password', '…', false)

create extension if not exists pg_stat_statements;

revoke all on schema public from public;

do $$
declare
  service text;
  secret text;
begin
  execute format('revoke connect, temporary on database %I from public', current_database());

  foreach service in array array['auth', 'orders', 'inventory'] loop
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
end
$$;
