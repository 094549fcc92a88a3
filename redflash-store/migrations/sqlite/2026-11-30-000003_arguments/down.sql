ALTER TABLE notifications DROP COLUMN arguments;
