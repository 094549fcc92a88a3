-- Names the grant of a lease, so that the outcome of an earlier one cannot settle it.
ALTER TABLE deliveries ADD COLUMN lease_token BIGINT;
