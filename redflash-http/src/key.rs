//! Who asks: the API key of a request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use redflash_core::{ApiKey, Engine};
use secrecy::SecretString;
use serde_json::Value;

use crate::body::Fields;
use crate::refusal::Refusal;

/// The name of the field in body and query.
const FIELD: &str = "api_key";

/// Takes the key out of a request, so that nothing else sees it: out of the body, else the query,
/// else the header.
pub(crate) fn take(
    body: &mut Fields,
    query: &mut Fields,
    headers: &HeaderMap,
) -> Option<SecretString> {
    let in_body = body.remove(FIELD);
    let in_query = query.remove(FIELD);
    match in_body.or(in_query) {
        Some(Value::String(secret)) => Some(secret.into()),
        Some(_) => None,
        None => bearer(headers),
    }
}

/// The key in `Authorization: Bearer …`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let (scheme, secret) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| secret.into())
}

/// The key whose secret this is, if it is switched on.
pub(crate) async fn check(
    engine: &Engine,
    secret: Option<SecretString>,
) -> Result<ApiKey, Refusal> {
    let secret = secret.ok_or_else(Refusal::invalid_key)?;
    let known = engine.api_key(&secret).await;
    let known = known.map_err(|fault| Refusal::from(redflash_core::RaiseError::from(fault)))?;
    match known {
        Some(key) if key.enabled => Ok(key),
        _ => {
            metrics::counter!("redflash_refused_keys_total").increment(1);
            Err(Refusal::invalid_key())
        }
    }
}
