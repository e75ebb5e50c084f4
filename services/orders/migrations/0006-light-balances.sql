-- A balance in the condition of an index would make every transfer write to all indexes of the account.
drop index accounts_lots;

create index accounts_lots on accounts (owner, asset, lot) where kind = 'lot';
