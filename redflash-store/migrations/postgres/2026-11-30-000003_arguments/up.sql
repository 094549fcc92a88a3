-- The arguments of an event, as JSON, once for all deliveries of the notification.
ALTER TABLE notifications ADD COLUMN arguments TEXT COLLATE "C";
