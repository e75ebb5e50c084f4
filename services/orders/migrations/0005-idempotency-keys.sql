-- A request that may be sent twice. `effect_id` is the id of the order or movement it makes: whoever takes a request up
-- again after a crash makes the same one. `answer` is null while the request is under way.
create table idempotency_keys (
  customer text not null,
  key text not null check (char_length(key) between 1 and 128),
  fingerprint text not null,
  effect_id uuid not null,
  locked_until timestamptz not null,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (customer, key)
);

create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Keys of the first release go on to answer as they did.
insert into idempotency_keys (customer, key, fingerprint, effect_id, locked_until, answer)
  select customer, idempotency_key,
    encode(sha256(convert_to('POST /api/orders' || E'\n' || '{"kind":"buy","pieceId":"' || piece_id || '","quantity":'
      || quantity || '}', 'UTF8')), 'hex'),
    id, now(),
    case when status = 'reserved' then jsonb_build_object('status', 201, 'location', '/api/orders/' || id, 'body',
      jsonb_build_object('id', id, 'kind', kind, 'customer', customer, 'pieceId', piece_id, 'maison', maison,
        'pieceKind', piece_kind, 'quantity', quantity,
        'unitPrice', jsonb_build_object('amount', unit_amount, 'currency', currency),
        'total', jsonb_build_object('amount', unit_amount * quantity, 'currency', currency),
        'status', status, 'reason', reason,
        'createdAt', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'changedAt', to_char(changed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'expiresAt', to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
    when status = 'failed' then jsonb_build_object('error', jsonb_build_object('code', reason,
      'headers', jsonb_build_object('location', '/api/orders/' || id)))
    end
  from orders where idempotency_key is not null;

drop index orders_idempotency;

alter table orders drop column idempotency_key;
