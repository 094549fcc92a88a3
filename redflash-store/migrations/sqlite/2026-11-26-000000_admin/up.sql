-- Who may log in. The password is kept as its hash.
CREATE TABLE users (
    slug TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    subject TEXT,
    password TEXT,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Who has logged in. The secret itself is not kept, only its SHA-256.
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY NOT NULL,
    user_slug TEXT NOT NULL REFERENCES users (slug) ON DELETE CASCADE,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_of_a_user ON sessions (user_slug);

-- The audit log: who did what to what, and when.
CREATE TABLE changes (
    id TEXT PRIMARY KEY NOT NULL,
    made_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX changes_of_a_subject ON changes (subject, id);
CREATE INDEX changes_of_an_actor ON changes (actor, id);

-- When keys were last used, apart from the keys, since it changes with every use.
CREATE TABLE key_uses (
    key TEXT PRIMARY KEY NOT NULL REFERENCES api_keys (slug) ON DELETE CASCADE,
    used_at BIGINT NOT NULL
) WITHOUT ROWID;

ALTER TABLE api_keys ADD COLUMN admin BOOLEAN NOT NULL DEFAULT FALSE;
