//! The parameters of a query.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded;

use crate::api::problem::Problem;

/// The most that a page of a list has.
const MOST: u32 = 500;
/// How much a page of a list has if nothing is said.
const USUAL: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// The parameters of a query, of which the [`guard`](crate::api::caller::guard) has let through only those that
/// the operation has, each once.
#[derive(Debug)]
pub(crate) struct Query(BTreeMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(pairs(parts.uri.query()).collect()))
    }
}

impl Query {
    /// A parameter as it stands there.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that is something.
    ///
    /// # Errors
    ///
    /// 422 when it is none.
    pub(crate) fn read<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let read = self.text(name).map(str::parse).transpose();
        read.map_err(|fault: T::Err| Problem::field(name, fault.to_string()))
    }

    /// How much a page of a list is to have, at most.
    ///
    /// # Errors
    ///
    /// 422 when it is too much, or no number.
    pub(crate) fn limit(&self) -> Result<NonZeroU32, Problem> {
        let Some(text) = self.text("limit") else {
            return Ok(USUAL);
        };
        let limit = text.parse().ok();
        let limit = limit.filter(|limit: &NonZeroU32| limit.get() <= MOST);
        let wrong = || Problem::field("limit", format!("write a number from 1 to {MOST}"));
        limit.ok_or_else(wrong)
    }
}

/// Refuses parameters that an operation does not have, that stand there twice, or hold a NUL.
///
/// # Errors
///
/// 422 for the first of them.
pub(crate) fn check(query: Option<&str>, known: &[&str]) -> Result<(), Problem> {
    let mut seen = BTreeMap::new();
    for (name, value) in pairs(query) {
        if !known.contains(&&*name) {
            let message = match known {
                [] => "there are no parameters here".to_owned(),
                known => format!("there is no such parameter, only {}", known.join(", ")),
            };
            let name: String = name.chars().take(100).collect();
            return Err(Problem::field(name, message));
        }
        if seen.contains_key(&name) {
            return Err(Problem::field(name, "stands there twice"));
        }
        // It stands in no text, and databases refuse to look for it.
        if value.contains('\0') {
            return Err(Problem::field(name, "a NUL cannot stand here"));
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
    fn only_what_is_known_may_be_asked_and_only_once() {
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
    fn a_page_has_one_to_five_hundred() {
        let limit = |query: &str| Query(pairs(Some(query)).collect()).limit();
        assert_eq!(limit("").unwrap().get(), 50);
        assert_eq!(limit("limit=500").unwrap().get(), 500);
        for bad in ["", "0", "501", "-1", "1.5", "x", "99999999999999999999"] {
            assert!(limit(&format!("limit={bad}")).is_err(), "{bad}");
        }
    }
}
