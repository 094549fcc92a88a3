ALTER TABLE events DROP COLUMN missing_arguments;
