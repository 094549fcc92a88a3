ALTER TABLE alarms DROP COLUMN reason;
DROP INDEX deliveries_attempted;
