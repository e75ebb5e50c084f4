-- The second factor of a person; without confirmed_at it was only begun and asks nothing of anybody.
create table totp_seeds (
  user_id uuid primary key references users (id) on delete cascade,
  sealed_seed bytea not null,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  -- The time step of the last code that was taken: none of it and of those before is taken again (RFC 6238 §5.2).
  last_step bigint not null default 0
);

create table backup_codes (
  user_id uuid not null references users (id) on delete cascade,
  -- The first character of a code: which of the ten it is, so that one hash is tried and not ten.
  number integer not null check (number between 0 and 9),
  -- argon2id, as for passwords.
  hash text not null,
  used_at timestamptz,
  primary key (user_id, number)
);

-- Sign-ins whose password was right and whose second factor is awaited.
create table sign_in_challenges (
  hash bytea primary key,
  user_id uuid not null references users (id) on delete cascade,
  kind text not null check (kind in ('token', 'cookie')),
  expires_at timestamptz not null
);

create index sign_in_challenges_user_id on sign_in_challenges (user_id);
