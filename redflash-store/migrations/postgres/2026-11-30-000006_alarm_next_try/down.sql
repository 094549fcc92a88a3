ALTER TABLE alarms DROP COLUMN next_try_at;
