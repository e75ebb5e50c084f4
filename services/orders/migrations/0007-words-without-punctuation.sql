-- Words are what stands between punctuation, as in what is searched for: "5711/1A" and "No.5" are no path and no host.
alter table pieces drop column words;

alter table pieces add column words tsvector generated always as (
  to_tsvector('simple', regexp_replace(
    regexp_replace(normalize(maison || ' ' || name, NFKD), '[\u0300-\u036f]', '', 'g'),
    '[\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u007e]', ' ', 'g'))
) stored;

create index pieces_by_words on pieces using gin (words);
