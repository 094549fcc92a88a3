//! A caller's promise that two requests are the same one.

use std::time::Duration;

/// A caller's promise that two requests are the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key, at most [`MAX_KEY`](Self::MAX_KEY) characters, unique within an API key.
    pub key: String,
    /// A digest of the request, by which another request under the same key is found out.
    pub digest: String,
}

impl Idempotency {
    /// The longest key, in characters.
    pub const MAX_KEY: usize = 255;
    /// How long a key is remembered.
    pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
}
