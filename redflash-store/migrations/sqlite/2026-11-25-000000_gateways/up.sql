-- Why an endpoint is off, when that was asked for by the person at the other end.
ALTER TABLE endpoints ADD COLUMN opted_out TEXT;
CREATE INDEX endpoints_by_address ON endpoints (address, channel);

-- The gateways that a delivery is not handed to again and the ids of the parts that have arrived, each a
-- list in JSON or nothing; and when it goes through another gateway unless a receipt has come.
ALTER TABLE deliveries ADD COLUMN refused_by TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN receipt_due_at BIGINT;
ALTER TABLE deliveries ADD COLUMN parts_delivered TEXT NOT NULL DEFAULT '';
CREATE INDEX deliveries_unconfirmed ON deliveries (receipt_due_at) WHERE receipt_due_at IS NOT NULL;
DROP INDEX deliveries_ended_badly;
CREATE INDEX deliveries_ended_badly ON deliveries (state, id)
    WHERE state IN ('failed', 'cancelled', 'suppressed', 'quarantined');
ALTER TABLE early_receipts ADD COLUMN of_part BOOLEAN NOT NULL DEFAULT FALSE;

-- What people send back.
CREATE TABLE inbound (
    id TEXT PRIMARY KEY NOT NULL,
    gateway TEXT NOT NULL,
    channel TEXT NOT NULL,
    message_id TEXT,
    sender TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    answers TEXT,
    effect TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX inbound_by_message_id ON inbound (gateway, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX inbound_by_age ON inbound (received_at);

-- The contacts who have the address that an inbound message came from.
CREATE TABLE inbound_contacts (
    contact TEXT NOT NULL,
    inbound TEXT NOT NULL REFERENCES inbound (id) ON DELETE CASCADE,
    PRIMARY KEY (contact, inbound)
) WITHOUT ROWID;
CREATE INDEX contacts_of_an_inbound ON inbound_contacts (inbound);

-- How much has been counted in the hour or day that began then.
CREATE TABLE meters (
    meter TEXT NOT NULL,
    period TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (meter, period)
) WITHOUT ROWID;

-- What an alarm has been given about that is not over.
CREATE TABLE alarms (
    subject TEXT PRIMARY KEY NOT NULL,
    since BIGINT NOT NULL
) WITHOUT ROWID;
