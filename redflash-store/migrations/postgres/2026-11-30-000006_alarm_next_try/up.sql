-- When a stopped gateway is tried again, for processes that hand nothing over themselves.
ALTER TABLE alarms ADD COLUMN next_try_at BIGINT;
