//! The API key of a request.

use axum::http::HeaderMap;
use axum_extra::headers::authorization::Bearer;
use axum_extra::headers::{Authorization, HeaderMapExt};
use redflash_core::Engine;
use redflash_core::model::{ApiKey, CheckedKey, Target};
use secrecy::SecretString;
use serde_json::Value;

use crate::error::RequestError;
use crate::extract::body::Fields;

/// Name of the field in body and query.
const FIELD: &str = "api_key";

/// Takes the key out of the fields of a body or a query, so that no other code sees it.
pub(crate) fn take(fields: &mut Fields) -> Option<SecretString> {
    let given = match fields.remove(FIELD)? {
        Value::String(secret) => Some(secret).filter(|secret| !secret.is_empty()),
        Value::Null => None,
        // Keys are strings, so any other value is an unknown key.
        other => Some(other.to_string()),
    };
    given.map(SecretString::from)
}

/// Takes the key that is known before the body is read: from the query, or else from the header.
pub(crate) fn before_body(query: &mut Fields, headers: &HeaderMap) -> Option<SecretString> {
    take(query).or_else(|| bearer(headers))
}

/// Returns the key in `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let authorization = headers.typed_get::<Authorization<Bearer>>()?;
    Some(authorization.token())
        .filter(|secret| !secret.is_empty())
        .map(Into::into)
}

/// Returns the key with a secret.
///
/// # Errors
///
/// If there is no secret, or the key is unknown or disabled.
pub(crate) async fn check(
    engine: &Engine,
    secret: Option<SecretString>,
) -> Result<ApiKey, RequestError> {
    let secret = secret.ok_or_else(RequestError::missing_key)?;
    let known = engine.api_key(&secret).await?;
    known.filter(|key| key.enabled).ok_or_else(invalid_key)
}

/// Returns the key with a secret for a raise at a target, reading the key again where necessary.
pub(crate) async fn check_to_raise(
    engine: &Engine,
    secret: SecretString,
    target: Option<&Target>,
) -> Result<CheckedKey, RequestError> {
    let known = engine.key_to_raise(&secret, target).await?;
    known
        .filter(|checked| checked.key.enabled)
        .ok_or_else(invalid_key)
}

fn invalid_key() -> RequestError {
    metrics::counter!("redflash_refused_keys_total").increment(1);
    RequestError::invalid_key()
}
