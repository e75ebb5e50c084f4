-- Run as superuser in `postgres`, where the collector asks for the costliest statements, and in `vitrine`, where people do.
-- It can be repeated.
-- Without the extension the rest still works: slow statements are seen while they run, and services log their own.

do $$
begin
  create extension if not exists pg_stat_statements;
exception
  when others then
    raise warning 'the costliest statements will not be told: %', sqlerrm;
end
$$;
