//! The parts of a path that are names.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

/// The part that stands for a name such as `slug`; `None` where it is no `T`, so that nobody has it.
pub(crate) async fn part<T: FromStr, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &str,
) -> Option<T> {
    let all = RawPathParams::from_request_parts(parts, state).await.ok()?;
    let (_, text) = all.iter().find(|(known, _)| *known == name)?;
    text.parse().ok()
}
