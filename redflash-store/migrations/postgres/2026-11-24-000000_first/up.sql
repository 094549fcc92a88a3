-- Texts compare byte by byte, as everywhere in RedFlash. Times are milliseconds since 1970-01-01T00:00:00Z. Ids are 32 lower-case hex digits, ordered by time.

-- One row: changes with every change to the directory.
CREATE TABLE directory (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    version BIGINT NOT NULL
);
INSERT INTO directory (id, version) VALUES (1, 1);

CREATE TABLE contacts (
    slug TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL
);

CREATE TABLE endpoints (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    contact TEXT COLLATE "C" NOT NULL REFERENCES contacts (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL
);
CREATE INDEX endpoints_of_a_contact ON endpoints (contact, place);

CREATE TABLE groups (
    slug TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL
);

CREATE TABLE group_contacts (
    group_slug TEXT COLLATE "C" NOT NULL REFERENCES groups (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    contact TEXT COLLATE "C" NOT NULL REFERENCES contacts (slug) ON DELETE CASCADE,
    PRIMARY KEY (group_slug, place)
);
CREATE INDEX groups_of_a_contact ON group_contacts (contact);

CREATE TABLE events (
    slug TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL,
    subject TEXT COLLATE "C",
    message TEXT COLLATE "C" NOT NULL,
    sender TEXT COLLATE "C"
);

CREATE TABLE event_contacts (
    event TEXT COLLATE "C" NOT NULL REFERENCES events (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    contact TEXT COLLATE "C" NOT NULL REFERENCES contacts (slug) ON DELETE CASCADE,
    PRIMARY KEY (event, place)
);
CREATE INDEX events_of_a_contact ON event_contacts (contact);

CREATE TABLE event_groups (
    event TEXT COLLATE "C" NOT NULL REFERENCES events (slug) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    group_slug TEXT COLLATE "C" NOT NULL REFERENCES groups (slug) ON DELETE CASCADE,
    PRIMARY KEY (event, place)
);
CREATE INDEX events_of_a_group ON event_groups (group_slug);

-- The secret itself is not kept, only its SHA-256.
CREATE TABLE api_keys (
    slug TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    enabled BOOLEAN NOT NULL,
    inspect BOOLEAN NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL UNIQUE,
    hint TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE notifications (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    raised_at BIGINT NOT NULL,
    raised_by TEXT COLLATE "C",
    plan TEXT COLLATE "C" NOT NULL
);

CREATE TABLE idempotency (
    raised_by TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    notification TEXT COLLATE "C" NOT NULL REFERENCES notifications (id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    raised_at BIGINT NOT NULL,
    PRIMARY KEY (raised_by, key)
);
CREATE INDEX idempotency_by_age ON idempotency (raised_at);
CREATE INDEX idempotency_of_a_notification ON idempotency (notification);

-- A delivery's id is its notification's with its place in the last six digits: what belongs to one
-- notification lies together, and needs no index and no foreign key to be found.
CREATE TABLE deliveries (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    notification TEXT COLLATE "C" NOT NULL,
    contact TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    via TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    raised_by TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    first_attempt_at BIGINT,
    gateway TEXT COLLATE "C",
    message_id TEXT COLLATE "C",
    parts INTEGER,
    price TEXT COLLATE "C",
    detail TEXT COLLATE "C" NOT NULL,
    may_repeat BOOLEAN NOT NULL,
    worker TEXT COLLATE "C",
    leased_until BIGINT,
    claims INTEGER NOT NULL
);
CREATE INDEX deliveries_to_a_contact ON deliveries (contact, id);
CREATE INDEX deliveries_by_message_id ON deliveries (message_id) WHERE message_id IS NOT NULL;
-- Small whatever the history: only what waits, what is under way, and what ended badly.
CREATE INDEX deliveries_queued ON deliveries (lane, raised_by, due_at, id) WHERE state = 'queued';
CREATE INDEX deliveries_sending ON deliveries (leased_until) WHERE state = 'sending';
CREATE INDEX deliveries_ended_badly ON deliveries (state, id)
    WHERE state IN ('failed', 'cancelled', 'quarantined');

CREATE TABLE attempts (
    delivery TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    gateway TEXT COLLATE "C",
    started_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    may_repeat BOOLEAN NOT NULL,
    PRIMARY KEY (delivery, number)
);

-- Receipts that came before what they are about, kept for a day.
CREATE TABLE early_receipts (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway TEXT COLLATE "C" NOT NULL,
    delivery TEXT COLLATE "C",
    message_id TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL,
    price TEXT COLLATE "C",
    detail TEXT COLLATE "C" NOT NULL,
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

-- What the nodes tell each other: which gateways take nothing in a lane, and until when.
CREATE TABLE closed_lanes (
    worker TEXT COLLATE "C" NOT NULL,
    gateway TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    closed_until BIGINT NOT NULL,
    PRIMARY KEY (worker, gateway, lane)
);

-- Rows of these tables are written twice or three times in their first seconds, and then never again.
ALTER TABLE deliveries SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
