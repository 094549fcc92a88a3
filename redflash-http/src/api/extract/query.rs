//! Query parameters.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded;

use crate::api::problem::Problem;

/// Maximum size of a page.
const MAX: u32 = 500;
/// Default size of a page.
const DEFAULT: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// The query parameters. The [`guard`](crate::api::caller::guard) has rejected unknown and repeated ones.
#[derive(Debug)]
pub(crate) struct Query(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(pairs(parts.uri.query()).collect()))
    }
}

impl Query {
    /// Returns a parameter as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Parses a parameter.
    ///
    /// # Errors
    ///
    /// 422 if it is invalid.
    pub(crate) fn read<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let read = self.text(name).map(str::parse).transpose();
        read.map_err(|error: T::Err| Problem::field(name, error.to_string()))
    }

    /// Returns the maximum size of a page.
    ///
    /// # Errors
    ///
    /// 422 if it is too large, or not a number.
    pub(crate) fn limit(&self) -> Result<NonZeroU32, Problem> {
        let Some(text) = self.text("limit") else {
            return Ok(DEFAULT);
        };
        let limit = text.parse().ok();
        let limit = limit.filter(|limit: &NonZeroU32| limit.get() <= MAX);
        let wrong = || Problem::field("limit", format!("must be a number from 1 to {MAX}"));
        limit.ok_or_else(wrong)
    }
}

/// Rejects unknown and repeated parameters, and those that contain a NUL character.
///
/// # Errors
///
/// 422 for the first of them.
pub(crate) fn check(query: Option<&str>, known: &[&str]) -> Result<(), Problem> {
    let mut seen = BTreeMap::new();
    for (name, value) in pairs(query) {
        if !known.contains(&&*name) {
            let message = match known {
                [] => "unknown parameter: this operation has none".to_owned(),
                known => format!("unknown parameter: expected one of {}", known.join(", ")),
            };
            let name: String = name.chars().take(100).collect();
            return Err(Problem::field(name, message));
        }
        if seen.contains_key(&name) {
            return Err(Problem::field(name, "is repeated"));
        }
        // No stored text contains it, and databases reject queries for it.
        if value.contains('\0') {
            return Err(Problem::field(name, "must not contain a NUL character"));
        }
        seen.insert(name, value);
    }
    Ok(())
}

fn pairs(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_unknown_and_repeated_parameters() {
        let known = ["q", "limit"];
        for good in [None, Some(""), Some("q="), Some("limit=1&q=x&")] {
            assert!(check(good, &known).is_ok(), "{good:?}");
        }
        for bad in ["Q=", "q=1&q=1", "x", "limit=1&offset=2", "q=%00"] {
            assert!(check(Some(bad), &known).is_err(), "{bad}");
        }
        assert!(check(Some("q="), &[]).is_err());
    }

    #[test]
    fn limits_pages_to_500_items() {
        let limit = |query: &str| Query(pairs(Some(query)).collect()).limit();
        assert_eq!(limit("").unwrap().get(), 50);
        assert_eq!(limit("limit=500").unwrap().get(), 500);
        for bad in ["", "0", "501", "-1", "1.5", "x", "99999999999999999999"] {
            assert!(limit(&format!("limit={bad}")).is_err(), "{bad}");
        }
    }
}
