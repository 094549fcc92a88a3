//! Conditional requests: `ETag`, `If-Match` and `If-None-Match`.

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use redflash_core::engine::Revision;

use crate::api::problem::Problem;

/// The conditions of a request.
#[derive(Debug)]
pub(crate) struct Precondition {
    if_match: Option<IfMatch>,
    /// `If-None-Match` as it was sent.
    if_none_match: String,
}

#[derive(Debug, PartialEq, Eq)]
enum IfMatch {
    /// `*`: any revision.
    Any,
    /// This revision.
    Revision(Revision),
}

impl<S: Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// The revision in `If-Match`, which the request must have; `None` for `*`.
///
/// The check comes before the body is read, so that a client learns of the missing header first.
#[derive(Debug)]
pub(crate) struct RequiredIfMatch(pub(crate) Option<Revision>);

impl<S: Sync> FromRequestParts<S> for RequiredIfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let precondition = Precondition::read(&parts.headers)?;
        Ok(Self(precondition.required()?.cloned()))
    }
}

impl Precondition {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let if_match = match values(headers, IF_MATCH).as_str() {
            "" if !headers.contains_key(IF_MATCH) => None,
            "*" => Some(IfMatch::Any),
            tag => Some(IfMatch::Revision(revision(tag)?)),
        };
        let if_none_match = values(headers, IF_NONE_MATCH);
        Ok(Self {
            if_match,
            if_none_match,
        })
    }

    /// Returns the revision in `If-Match`, if it names one.
    pub(crate) const fn expected(&self) -> Option<&Revision> {
        match &self.if_match {
            Some(IfMatch::Revision(revision)) => Some(revision),
            Some(IfMatch::Any) | None => None,
        }
    }

    /// Returns the revision in `If-Match`, where that header is required.
    ///
    /// # Errors
    ///
    /// 428 without the header.
    fn required(&self) -> Result<Option<&Revision>, Problem> {
        if self.if_match.is_none() {
            let detail = "send the ETag that you last read as If-Match, so that no other change is \
                          overwritten; * overwrites any";
            let status = StatusCode::PRECONDITION_REQUIRED;
            return Err(Problem::new(status, "if_match_required", detail));
        }
        Ok(self.expected())
    }

    /// Responds with a body, or with 304 if `If-None-Match` names its revision.
    pub(crate) fn respond(&self, revision: &Revision, body: impl IntoResponse) -> Response {
        let tag = tag(revision);
        let mut tags = self.if_none_match.split(',').map(str::trim);
        let is_known = tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag);
        if is_known {
            return with_etag(revision, StatusCode::NOT_MODIFIED);
        }
        with_etag(revision, body)
    }
}

/// Adds the `ETag` of a revision to a response.
pub(crate) fn with_etag(revision: &Revision, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
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
        let detail = "If-Match must be an ETag of this API, with its quotation marks, or *";
        Problem::new(StatusCode::BAD_REQUEST, "bad_if_match", detail)
    })
}

/// Returns all values of a header, joined by commas.
fn values(headers: &HeaderMap, name: HeaderName) -> String {
    let values = headers.get_all(name).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"0123456789abcdef01234567\"";

    fn precondition(name: HeaderName, value: &str) -> Result<Precondition, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::try_from(value).unwrap());
        Precondition::read(&headers)
    }

    #[test]
    fn requires_one_revision_or_any() {
        let revision = Revision::new(TAG.trim_matches('"'));
        let exact = precondition(IF_MATCH, TAG).unwrap();
        assert_eq!(exact.required().unwrap(), Some(&revision));
        let any = precondition(IF_MATCH, "*").unwrap();
        assert_eq!(any.required().unwrap(), None);
        let none = Precondition::read(&HeaderMap::new()).unwrap();
        assert!(none.required().is_err() && none.expected().is_none());
    }

    #[test]
    fn rejects_foreign_etags() {
        let weak = format!("W/{TAG}");
        let two = format!("{TAG}, {TAG}");
        for bad in ["", "x", "\"x\"", "0123456789abcdef01234567", &weak, &two] {
            assert!(precondition(IF_MATCH, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn responds_304_to_known_etags() {
        let revision = Revision::new(TAG.trim_matches('"'));
        let status = |value: &str| {
            let precondition = precondition(IF_NONE_MATCH, value).unwrap();
            precondition.respond(&revision, StatusCode::OK).status()
        };
        for known in [TAG, "*", &format!("W/{TAG}"), &format!("\"x\" , {TAG}")] {
            assert_eq!(status(known), StatusCode::NOT_MODIFIED, "{known}");
        }
        for other in ["", "\"x\"", "0123456789abcdef01234567"] {
            assert_eq!(status(other), StatusCode::OK, "{other}");
        }
    }
}
