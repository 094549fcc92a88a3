-- Notifications of which deliveries are still to be recorded, and how many: the last ones of the plan.
CREATE TABLE fan_outs (
    notification TEXT COLLATE "C" PRIMARY KEY NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    unqueued INTEGER NOT NULL
);
