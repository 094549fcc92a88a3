-- What waits after an attempt, by the time of its first: so that what has waited for too long is found at
-- once. Nothing that goes out at the first attempt is ever in it.
CREATE INDEX deliveries_attempted ON deliveries (channel, first_attempt_at)
    WHERE state = 'queued' AND first_attempt_at IS NOT NULL;

-- Why an alarm was given, for people.
ALTER TABLE alarms ADD COLUMN reason TEXT NOT NULL DEFAULT '';
