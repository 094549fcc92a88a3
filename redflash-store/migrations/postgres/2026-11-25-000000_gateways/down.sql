DROP TABLE alarms;
DROP TABLE meters;
DROP TABLE inbound_contacts;
DROP TABLE inbound;
ALTER TABLE early_receipts DROP COLUMN of_part;
DROP INDEX deliveries_ended_badly;
CREATE INDEX deliveries_ended_badly ON deliveries (state, id)
    WHERE state IN ('failed', 'cancelled', 'quarantined');
DROP INDEX deliveries_unconfirmed;
ALTER TABLE deliveries DROP COLUMN parts_delivered;
ALTER TABLE deliveries DROP COLUMN receipt_due_at;
ALTER TABLE deliveries DROP COLUMN refused_by;
DROP INDEX endpoints_by_address;
ALTER TABLE endpoints DROP COLUMN opted_out;
