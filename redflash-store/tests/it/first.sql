-- What the first version of the tables left behind: a contact, and a delivery to it that failed.
CREATE TABLE __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO __diesel_schema_migrations (version) VALUES ('20261124000000');
INSERT INTO contacts VALUES ('ann', 'Ann', TRUE);
INSERT INTO endpoints VALUES ('0123456789abcdef0123456789abcdef', 'ann', 0, 'sms', '+447700900001', TRUE);
INSERT INTO notifications VALUES ('019f4a2b6c007d3e8f50617283000000', 0, NULL, '{}');
INSERT INTO deliveries VALUES (
    '019f4a2b6c007d3e8f50617283000001', '019f4a2b6c007d3e8f50617283000000', 'ann',
    '0123456789abcdef0123456789abcdef', 'sms', '+447700900001', '[]', 'sms', '', 'failed', 1, 0, 0, 'gw',
    'm1', 1, NULL, 'no route', FALSE, NULL, NULL, 0
);
