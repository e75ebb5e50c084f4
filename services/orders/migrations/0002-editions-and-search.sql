-- How many of a piece were ever made; null where there is no such limit.
alter table pieces add column edition integer check (edition between 1 and 100000);

-- Words without their accents, so that "eclipse" finds "Éclipse".
alter table pieces add column words tsvector generated always as (
  to_tsvector('simple', regexp_replace(normalize(maison || ' ' || name, NFKD), '[\u0300-\u036f]', '', 'g'))
) stored;

create index pieces_by_words on pieces using gin (words);

create index pieces_by_price on pieces (price_currency, price_amount);

create index pieces_limited on pieces (id) where edition is not null;
