-- The audit log is read newest first, whole or narrowed to one of these: each is a walk along one index.
create index audit_log_at on audit_log (at, seq);
create index audit_log_actor_at on audit_log (actor, at, seq);
create index audit_log_target_at on audit_log (target, at, seq) where target is not null;
create index audit_log_event_at on audit_log (event, at, seq);
create index audit_log_action_at on audit_log (action, at, seq);
drop index audit_log_actor;
