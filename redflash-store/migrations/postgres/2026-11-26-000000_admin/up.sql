-- Who may log in. The password is kept as its hash.
CREATE TABLE users (
    slug TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL,
    subject TEXT COLLATE "C",
    password TEXT COLLATE "C",
    created_at BIGINT NOT NULL
);

-- Who has logged in. The secret itself is not kept, only its SHA-256.
CREATE TABLE sessions (
    hash TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    user_slug TEXT COLLATE "C" NOT NULL REFERENCES users (slug) ON DELETE CASCADE,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_of_a_user ON sessions (user_slug);

-- The audit log: who did what to what, and when.
CREATE TABLE changes (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    made_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL
);
CREATE INDEX changes_of_a_subject ON changes (subject, id);
CREATE INDEX changes_of_an_actor ON changes (actor, id);

-- When keys were last used, apart from the keys, since it changes with every use.
CREATE TABLE key_uses (
    key TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES api_keys (slug) ON DELETE CASCADE,
    used_at BIGINT NOT NULL
);

ALTER TABLE api_keys ADD COLUMN admin BOOLEAN NOT NULL DEFAULT FALSE;
