-- Who owns a wallet and a collection.
create table customers (
  id text collate "C" primary key check (char_length(id) between 1 and 128),
  created_at timestamptz not null default now(),
  last_active_at timestamptz not null default now()
);

create index customers_by_activity on customers (last_active_at);

-- An account holds one asset: a currency in minor units, or a piece. The shop's own (bank, shop) have no owner; they
-- may be below zero and keep no balance here, so that customers never wait for one another.
create table accounts (
  id text collate "C" primary key,
  owner text references customers,
  kind text not null check (kind in ('wallet', 'held', 'lot', 'bank', 'shop')),
  asset text collate "C" not null check (asset ~ '^([A-Z]{3}|[a-z0-9][a-z0-9-]{2,63})$'),
  lot uuid,
  balance bigint not null default 0 check (balance between 0 and 9007199254740991),
  unique (id, asset),
  check ((owner is null) = (kind in ('bank', 'shop'))),
  check ((lot is not null) = (kind = 'lot'))
);

create index accounts_by_owner on accounts (owner, kind, asset);

create index accounts_lots on accounts (owner, asset, lot) where kind = 'lot' and balance > 0;

create sequence transfer_ids;

-- The ledger: every row takes an amount from one account and gives it to another of the same asset, so it balances by
-- its form. A reference (an order, a deposit) makes each of its moves once.
create table transfers (
  id bigint primary key,
  reference uuid not null,
  movement text not null
    check (movement in ('deposit', 'withdrawal', 'hold', 'release', 'capture', 'payout', 'delivery', 'return')),
  asset text collate "C" not null,
  amount bigint not null check (amount > 0),
  debit text collate "C" not null,
  credit text collate "C" not null,
  debit_balance bigint,
  credit_balance bigint,
  request_id text not null,
  created_at timestamptz not null default now(),
  check (debit <> credit),
  foreign key (debit, asset) references accounts (id, asset),
  foreign key (credit, asset) references accounts (id, asset),
  unique (reference, movement, debit)
);

create index transfers_by_debit on transfers (debit, id desc);

create index transfers_by_credit on transfers (credit, id desc);

-- Balances change by transfers only. Accounts are locked by id, so that two transfers never wait for each other; the
-- number is taken under the lock, so that for each account numbers follow time.
create function post_transfer() returns trigger language plpgsql as $$
begin
  if (select count(*) from accounts where id in (new.debit, new.credit)) <> 2 then
    raise exception 'no such account: % or %', new.debit, new.credit;
  end if;
  perform 1 from accounts where id in (new.debit, new.credit) and owner is not null order by id for no key update;
  new.id := nextval('transfer_ids');
  update accounts set balance = balance - new.amount
    where id = new.debit and owner is not null returning balance into new.debit_balance;
  update accounts set balance = balance + new.amount
    where id = new.credit and owner is not null returning balance into new.credit_balance;
  return new;
end $$;

create trigger transfers_post before insert on transfers for each row execute function post_transfer();

create function refuse_change() returns trigger language plpgsql as $$
begin raise exception '% of % is not allowed', tg_op, tg_table_name; end $$;

create trigger transfers_append_only before update or delete or truncate on transfers
  for each statement execute function refuse_change();

create trigger accounts_stay before delete or truncate on accounts
  for each statement execute function refuse_change();

create trigger accounts_change_by_transfer before update on accounts
  for each row when (pg_trigger_depth() = 0) execute function refuse_change();

create function refuse_balance() returns trigger language plpgsql as $$
begin
  if new.balance <> 0 then raise exception 'an account begins with nothing'; end if;
  return new;
end $$;

create trigger accounts_begin_empty before insert on accounts for each row execute function refuse_balance();

-- The same ledger by account: the balance of an account is the sum of its entries.
create view ledger_entries as
  select id as transfer_id, debit as account, asset, -amount as amount from transfers
  union all
  select id, credit, asset, amount from transfers;
