//! The state in which something was seen, and must be or must no longer be: `ETag`, `If-Match`,
//! `If-None-Match`.

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::Revision;

use crate::api::problem::Problem;

/// What a request says to have seen.
#[derive(Debug)]
pub(crate) struct Condition {
    /// `If-Match`.
    must_be: Option<Seen>,
    /// `If-None-Match`, as it stands there.
    must_not_be: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// `*`: whatever there is.
    Anything,
    /// This state.
    As(Revision),
}

impl<S: Sync> FromRequestParts<S> for Condition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

impl Condition {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let must_be = match values(headers, IF_MATCH).as_str() {
            "" if !headers.contains_key(IF_MATCH) => None,
            "*" => Some(Seen::Anything),
            tag => Some(Seen::As(revision(tag)?)),
        };
        let must_not_be = values(headers, IF_NONE_MATCH);
        Ok(Self {
            must_be,
            must_not_be,
        })
    }

    /// The state in which it must still be, if any is named.
    pub(crate) const fn seen(&self) -> Option<&Revision> {
        match &self.must_be {
            Some(Seen::As(revision)) => Some(revision),
            Some(Seen::Anything) | None => None,
        }
    }

    /// The same, where that has to be said.
    ///
    /// # Errors
    ///
    /// 428 when nothing is said.
    pub(crate) fn must_be_seen(&self) -> Result<Option<&Revision>, Problem> {
        if self.must_be.is_none() {
            let detail = "say in If-Match which ETag you have seen, so that nobody's work is lost; \
                          * writes over everything";
            let status = StatusCode::PRECONDITION_REQUIRED;
            return Err(Problem::new(status, "if_match_required", detail));
        }
        Ok(self.seen())
    }

    /// Answers with something in a state, or with 304 to whoever has seen it in that state.
    pub(crate) fn answer(&self, revision: &Revision, whole: impl IntoResponse) -> Response {
        let tag = tag(revision);
        let mut tags = self.must_not_be.split(',').map(str::trim);
        let is_known = tags.any(|seen| seen == "*" || seen.trim_start_matches("W/") == tag);
        if is_known {
            return revised(revision, StatusCode::NOT_MODIFIED);
        }
        revised(revision, whole)
    }
}

/// An answer that says in which state something is.
pub(crate) fn revised(revision: &Revision, whole: impl IntoResponse) -> Response {
    let mut response = whole.into_response();
    let tag = HeaderValue::try_from(tag(revision)).expect("hex digits are a header's value");
    response.headers_mut().insert(ETAG, tag);
    response
}

fn tag(revision: &Revision) -> String {
    format!("\"{revision}\"")
}

fn revision(tag: &str) -> Result<Revision, Problem> {
    let digits = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let hex = |digits: &&str| {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        digits.len() == Revision::LENGTH && digits.bytes().all(hex)
    };
    digits.filter(hex).map(Revision::new).ok_or_else(|| {
        let detail = "If-Match is an ETag of ours, with its quotation marks, or *";
        Problem::new(StatusCode::BAD_REQUEST, "bad_if_match", detail)
    })
}

/// All that a header says, however many times it is sent.
fn values(headers: &HeaderMap, name: HeaderName) -> String {
    let values = headers.get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"0123456789abcdef01234567\"";

    fn condition(name: HeaderName, value: &str) -> Result<Condition, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::try_from(value).unwrap());
        Condition::read(&headers)
    }

    #[test]
    fn one_state_or_any_must_have_been_seen() {
        let revision = Revision::new(TAG.trim_matches('"'));
        let exact = condition(IF_MATCH, TAG).unwrap();
        assert_eq!(exact.must_be_seen().unwrap(), Some(&revision));
        let any = condition(IF_MATCH, "*").unwrap();
        assert_eq!(any.must_be_seen().unwrap(), None);
        let none = Condition::read(&HeaderMap::new()).unwrap();
        assert!(none.must_be_seen().is_err() && none.seen().is_none());
    }

    #[test]
    fn what_is_no_tag_of_ours_is_a_bad_request() {
        let weak = format!("W/{TAG}");
        let two = format!("{TAG}, {TAG}");
        for bad in ["", "x", "\"x\"", "0123456789abcdef01234567", &weak, &two] {
            assert!(condition(IF_MATCH, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whoever_has_it_is_told_so() {
        let revision = Revision::new(TAG.trim_matches('"'));
        let status = |value: &str| {
            let condition = condition(IF_NONE_MATCH, value).unwrap();
            condition.answer(&revision, StatusCode::OK).status()
        };
        for known in [TAG, "*", &format!("W/{TAG}"), &format!("\"x\" , {TAG}")] {
            assert_eq!(status(known), StatusCode::NOT_MODIFIED, "{known}");
        }
        for other in ["", "\"x\"", "0123456789abcdef01234567"] {
            assert_eq!(status(other), StatusCode::OK, "{other}");
        }
    }
}
