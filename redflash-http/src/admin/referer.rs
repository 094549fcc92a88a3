//! The page that a form was on.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::REFERER;
use axum::http::request::Parts;
use url::{Url, form_urlencoded};

use super::flash::UNDO;

/// The page that a form was on, as far as the browser says.
pub(super) struct Referer(Option<Url>);

impl Referer {
    /// That page with its query, if it is the list at this path; otherwise another page.
    ///
    /// Whatever else the browser says, it leads to no other site.
    pub(super) fn list_or(&self, list: &str, otherwise: &str) -> String {
        let Some(url) = self.0.as_ref().filter(|url| url.path() == list) else {
            return otherwise.to_owned();
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(
            url.query_pairs()
                .filter(|(name, _)| name != "said" && name != UNDO),
        );
        match query.finish() {
            query if query.is_empty() => list.to_owned(),
            query => format!("{list}?{query}"),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Referer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get(REFERER);
        let text = header.and_then(|header| header.to_str().ok());
        Ok(Self(text.and_then(|text| Url::parse(text).ok())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_is_gone_back_to() {
        let back = |url: &str| {
            Referer(Url::parse(url).ok()).list_or("/admin/contacts", "/admin/contacts/ann")
        };
        let list = "https://a.example/admin/contacts?q=x%26y&said=off&undo=contacts/eve&after=bob";
        assert_eq!(back(list), "/admin/contacts?q=x%26y&after=bob");
        assert_eq!(back("https://a.example/admin/contacts"), "/admin/contacts");
        for other in [
            "",
            "https://a.example/admin/contacts/bob",
            "https://evil.example//x",
        ] {
            assert_eq!(back(other), "/admin/contacts/ann", "{other}");
        }
        assert_eq!(
            back("https://evil.example/admin/contacts"),
            "/admin/contacts"
        );
    }
}
