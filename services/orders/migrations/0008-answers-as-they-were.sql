-- A repeated request is answered to the letter: jsonb would give the members of an answer another order.
alter table idempotency_keys alter column answer type json using answer::json;
