-- What happens when a raise lacks arguments: they print nothing for the events that are there already.
ALTER TABLE events ADD COLUMN missing_arguments TEXT NOT NULL DEFAULT 'blank';
