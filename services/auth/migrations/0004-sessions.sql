-- What a sign-in begins. A token session is carried by refresh tokens, a cookie session by the hash of its handle.
create table sessions (
  id text primary key,
  user_id uuid not null references users (id) on delete cascade,
  kind text not null check (kind in ('token', 'cookie')),
  handle_hash bytea unique,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at timestamptz not null,
  -- When the person last proved who they are, and whether with a second factor.
  proven_at timestamptz not null,
  proven_twice boolean not null,
  ended_at timestamptz,
  end_reason text,
  address text,
  user_agent text,
  check ((kind = 'cookie') = (handle_hash is not null))
);

create index sessions_user_id on sessions (user_id);
create index sessions_expires_at on sessions (expires_at);

-- Used ones stay as long as their session: that is how a second use is known.
create table refresh_tokens (
  -- SHA-256: 256 random bits need no slow hash.
  hash bytea primary key,
  session_id text not null references sessions (id) on delete cascade,
  created_at timestamptz not null,
  used_at timestamptz
);

create index refresh_tokens_session_id on refresh_tokens (session_id);
