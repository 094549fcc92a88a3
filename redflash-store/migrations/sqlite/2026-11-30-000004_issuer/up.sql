-- The OpenID provider whose subject a user is. Filled in at the next login where there is a subject already.
ALTER TABLE users ADD COLUMN issuer TEXT;
