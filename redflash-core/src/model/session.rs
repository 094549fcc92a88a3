//! Sessions of logged-in users.

use secrecy::{ExposeSecret, SecretString};

use super::api_key::random_text;
use crate::clock::Timestamp;
use crate::model::{KeyHash, Slug};

/// A session of a user, identified by the hash of a secret that only the user's browser has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the secret.
    pub hash: KeyHash,
    /// The user who logged in.
    pub user: Slug,
    /// Time of login.
    pub started_at: Timestamp,
    /// Time of last use, to about a minute.
    pub seen_at: Timestamp,
}

impl Session {
    /// Starts a session. Returns it and its secret, which is not stored.
    pub fn start(user: Slug, now: Timestamp) -> (Self, SecretString) {
        let secret = Self::secret();
        let session = Self {
            hash: KeyHash::of(secret.expose_secret()),
            user,
            started_at: now,
            seen_at: now,
        };
        (session, secret)
    }

    /// Returns a secret that cannot be guessed: letters and digits.
    pub fn secret() -> SecretString {
        // 43 of 62 characters are more than 256 bits.
        random_text(43).into()
    }
}
