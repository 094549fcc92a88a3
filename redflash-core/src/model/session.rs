//! Logged-in users.

use secrecy::{ExposeSecret, SecretString};

use super::api_key::random_text;
use crate::{KeyHash, Slug, Timestamp};

/// A user who has logged in, by the hash of the secret that only the user's browser has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The SHA-256 of the secret.
    pub hash: KeyHash,
    /// Who has logged in.
    pub user: Slug,
    /// When that was.
    pub started_at: Timestamp,
    /// When it was last used, to about a minute.
    pub seen_at: Timestamp,
}

impl Session {
    /// A session that begins now, and its secret, which is not kept.
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

    /// A secret that nobody can guess: letters and digits.
    pub fn secret() -> SecretString {
        // 43 of 62 characters are more than 256 bits.
        random_text(43).into()
    }
}
