//! Logged-in users.

use secrecy::SecretString;

use crate::api_key::random_text;
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
        // 43 of 62 characters are more than 256 bits.
        let secret = random_text(43);
        let session = Self {
            hash: KeyHash::of(&secret),
            user,
            started_at: now,
            seen_at: now,
        };
        (session, secret.into())
    }
}
