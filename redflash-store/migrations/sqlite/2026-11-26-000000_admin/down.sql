ALTER TABLE api_keys DROP COLUMN admin;
DROP TABLE key_uses;
DROP TABLE changes;
DROP TABLE sessions;
DROP TABLE users;
