//! Who asks: the API key of a request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use redflash_core::{ApiKey, CheckedKey, Engine, Target};
use secrecy::SecretString;
use serde_json::Value;

use crate::error::RequestError;
use crate::extract::body::Fields;

/// The name of the field in body and query.
const FIELD: &str = "api_key";

/// Takes the key out of the fields of a body or a query, so that nothing else sees it.
pub(crate) fn take(fields: &mut Fields) -> Option<SecretString> {
    let given = match fields.remove(FIELD)? {
        Value::String(secret) => Some(secret).filter(|secret| !secret.is_empty()),
        Value::Null => None,
        // No key is of another type than text: it is one that nobody has.
        other => Some(other.to_string()),
    };
    given.map(SecretString::from)
}

/// Takes the key that is known before the body: out of the query, else the header.
pub(crate) fn outside(query: &mut Fields, headers: &HeaderMap) -> Option<SecretString> {
    take(query).or_else(|| bearer(headers))
}

/// The key in `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let (scheme, secret) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer") && !secret.is_empty();
    is_bearer.then(|| secret.into())
}

/// The key whose secret this is, if it is switched on.
pub(crate) async fn check(
    engine: &Engine,
    secret: Option<SecretString>,
) -> Result<ApiKey, RequestError> {
    let secret = secret.ok_or_else(RequestError::missing_key)?;
    let known = engine.api_key(&secret).await?;
    known.filter(|key| key.enabled).ok_or_else(refuse)
}

/// The same for a raise at this target, which looks at the key again if need be.
pub(crate) async fn check_to_raise(
    engine: &Engine,
    secret: SecretString,
    target: Option<&Target>,
) -> Result<CheckedKey, RequestError> {
    let known = engine.key_to_raise(&secret, target).await?;
    known
        .filter(|checked| checked.key.enabled)
        .ok_or_else(refuse)
}

fn refuse() -> RequestError {
    metrics::counter!("redflash_refused_keys_total").increment(1);
    RequestError::invalid_key()
}
