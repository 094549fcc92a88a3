//! Idempotency keys of raises.

use std::time::Duration;

/// An idempotency key: marks two requests as the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key, at most [`MAX_KEY`](Self::MAX_KEY) characters, unique within an API key.
    pub key: String,
    /// Digest of the request, to detect a different request under the same key.
    pub digest: String,
}

impl Idempotency {
    /// The maximum length of a key, in characters.
    pub const MAX_KEY: usize = 255;
    /// Retention of a key.
    pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
}
