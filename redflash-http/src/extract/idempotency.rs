//! The `Idempotency-Key` header, by which a caller marks repeated requests.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use redflash_core::message::{Content, Idempotency};
use redflash_core::model::Target;
use sha2::{Digest, Sha256};

use crate::error::{RequestError, RequestErrorKind};

/// Returns the idempotency key of a request, if it has one.
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
        "send one Idempotency-Key of 1 to {} ASCII characters",
        Idempotency::MAX_KEY
    );
    Err(RequestError::new(
        RequestErrorKind::BadIdempotencyKey,
        message,
    ))
}

/// Returns a digest that is equal for equal requests, whatever the format of their bodies.
pub(crate) fn digest(target: &Target, content: &Content) -> String {
    let mut hash = Sha256::new();
    hash.update(target.to_string());
    match content {
        Content::Message(text) => {
            hash.update("\nmessage\n");
            hash.update(text);
        }
        // The names are sorted.
        Content::Arguments(arguments) => {
            hash.update("\narguments\n");
            hash.update(serde_json::Value::from(arguments.clone()).to_string());
        }
    }
    BASE64_STANDARD_NO_PAD.encode(hash.finalize())
}
