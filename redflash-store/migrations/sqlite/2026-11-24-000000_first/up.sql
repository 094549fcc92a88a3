-- Times are milliseconds since 1970-01-01T00:00:00Z. Ids are 32 lower-case hex digits, ordered by time.

-- One row: changes with every change to the directory.
CREATE TABLE directory (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO directory (id, version) VALUES (1, 1);

CREATE TABLE contacts (
    slug TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL
) WITHOUT ROWID;

CREATE TABLE endpoints (
    id TEXT PRIMARY KEY NOT NULL,
    contact TEXT NOT NULL REFERENCES contacts (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    enabled BOOLEAN NOT NULL
);
CREATE INDEX endpoints_of_a_contact ON endpoints (contact, place);

CREATE TABLE groups (
    slug TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL
) WITHOUT ROWID;

CREATE TABLE group_contacts (
    group_slug TEXT NOT NULL REFERENCES groups (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    contact TEXT NOT NULL REFERENCES contacts (slug) ON DELETE CASCADE,
    PRIMARY KEY (group_slug, place)
) WITHOUT ROWID;
CREATE INDEX groups_of_a_contact ON group_contacts (contact);

CREATE TABLE events (
    slug TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    subject TEXT,
    message TEXT NOT NULL,
    sender TEXT
) WITHOUT ROWID;

CREATE TABLE event_contacts (
    event TEXT NOT NULL REFERENCES events (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    contact TEXT NOT NULL REFERENCES contacts (slug) ON DELETE CASCADE,
    PRIMARY KEY (event, place)
) WITHOUT ROWID;
CREATE INDEX events_of_a_contact ON event_contacts (contact);

CREATE TABLE event_groups (
    event TEXT NOT NULL REFERENCES events (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    group_slug TEXT NOT NULL REFERENCES groups (slug) ON DELETE CASCADE,
    PRIMARY KEY (event, place)
) WITHOUT ROWID;
CREATE INDEX events_of_a_group ON event_groups (group_slug);

-- The secret itself is not kept, only its SHA-256.
CREATE TABLE api_keys (
    slug TEXT PRIMARY KEY NOT NULL,
    enabled BOOLEAN NOT NULL,
    inspect BOOLEAN NOT NULL,
    scope TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE notifications (
    id TEXT PRIMARY KEY NOT NULL,
    raised_at BIGINT NOT NULL,
    raised_by TEXT,
    plan TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE idempotency (
    raised_by TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    notification TEXT NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    raised_at BIGINT NOT NULL,
    PRIMARY KEY (raised_by, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (raised_at);
CREATE INDEX idempotency_of_a_notification ON idempotency (notification);

-- A delivery's id is its notification's with its place in the last six digits: what belongs to one
-- notification lies together, and needs no index and no foreign key to be found.
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY NOT NULL,
    notification TEXT NOT NULL,
    contact TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    via TEXT NOT NULL,
    lane TEXT NOT NULL,
    raised_by TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    first_attempt_at BIGINT,
    gateway TEXT,
    message_id TEXT,
    parts INTEGER,
    price TEXT,
    detail TEXT NOT NULL,
    may_repeat BOOLEAN NOT NULL,
    worker TEXT,
    leased_until BIGINT,
    claims INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX deliveries_to_a_contact ON deliveries (contact, id);
CREATE INDEX deliveries_by_message_id ON deliveries (message_id) WHERE message_id IS NOT NULL;
-- Small whatever the history: only what waits, what is under way, and what ended badly.
CREATE INDEX deliveries_queued ON deliveries (lane, raised_by, due_at, id) WHERE state = 'queued';
CREATE INDEX deliveries_sending ON deliveries (leased_until) WHERE state = 'sending';
CREATE INDEX deliveries_ended_badly ON deliveries (state, id)
    WHERE state IN ('failed', 'cancelled', 'quarantined');

CREATE TABLE attempts (
    delivery TEXT NOT NULL,
    number INTEGER NOT NULL,
    gateway TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    may_repeat BOOLEAN NOT NULL,
    PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

-- Receipts that came before what they are about, kept for a day.
CREATE TABLE early_receipts (
    id INTEGER PRIMARY KEY NOT NULL,
    gateway TEXT NOT NULL,
    delivery TEXT,
    message_id TEXT,
    state TEXT NOT NULL,
    price TEXT,
    detail TEXT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX early_receipts_by_delivery ON early_receipts (delivery) WHERE delivery IS NOT NULL;
CREATE INDEX early_receipts_by_message_id ON early_receipts (message_id) WHERE delivery IS NULL;
CREATE INDEX early_receipts_by_age ON early_receipts (received_at);

-- One row, written to find out whether a commit is possible.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    probed_at BIGINT NOT NULL
);
