ALTER TABLE deliveries DROP COLUMN lease_token;
