//! The header `Idempotency-Key`: a caller's promise that two requests are the same one.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use redflash_core::{Content, Idempotency, Target};
use sha2::{Digest, Sha256};

use crate::error::{RequestError, RequestErrorKind};

/// The key of the promise that a request makes, if any.
pub(crate) fn read_key(headers: &HeaderMap) -> Result<Option<String>, RequestError> {
    let mut given = headers.get_all("idempotency-key").iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let legal = |key: &&str| !key.is_empty() && key.len() <= Idempotency::MAX_KEY;
    if let (Some(key), None) = (key.to_str().ok().filter(legal), given.next()) {
        return Ok(Some(key.to_owned()));
    }
    let message = format!(
        "an Idempotency-Key is given once and has 1 to {} characters of ASCII",
        Idempotency::MAX_KEY
    );
    Err(RequestError::new(
        RequestErrorKind::BadIdempotencyKey,
        message,
    ))
}

/// The same for equal requests only, however their bodies were written.
pub(crate) fn digest(target: &Target, content: &Content) -> String {
    let mut hash = Sha256::new();
    hash.update(target.to_string());
    match content {
        Content::Message(text) => {
            hash.update("\nmessage\n");
            hash.update(text);
        }
        // The names are in order.
        Content::Arguments(arguments) => {
            hash.update("\narguments\n");
            hash.update(serde_json::Value::from(arguments.clone()).to_string());
        }
    }
    BASE64_STANDARD_NO_PAD.encode(hash.finalize())
}
