//! Path parameters.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

/// Returns a path parameter such as `slug`; `None` if it is not a valid `T`, so that nothing can have it.
pub(crate) async fn part<T: FromStr, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &str,
) -> Option<T> {
    let all = RawPathParams::from_request_parts(parts, state).await.ok()?;
    let (_, text) = all.iter().find(|(known, _)| *known == name)?;
    text.parse().ok()
}
