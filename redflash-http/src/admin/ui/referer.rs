//! The page that submitted a form.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::REFERER;
use axum::http::request::Parts;
use url::{Url, form_urlencoded};

use crate::admin::ui::flash::{FLASH, UNDO};
use crate::app::App;
use crate::base_path::BasePath;

/// The page that submitted a form, according to the browser.
pub(crate) struct Referer {
    page: Option<Url>,
    base: BasePath,
}

impl Referer {
    /// Returns that page with its query if it is the list at this path, or else another page.
    ///
    /// The result never leads to another site.
    pub(crate) fn list_or(&self, list: &str, otherwise: &str) -> String {
        let is_list = |url: &&Url| self.base.strip(url.path()) == list;
        let Some(url) = self.page.as_ref().filter(is_list) else {
            return otherwise.to_owned();
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(
            url.query_pairs()
                .filter(|(name, _)| name != FLASH && name != UNDO),
        );
        match query.finish() {
            query if query.is_empty() => list.to_owned(),
            query => format!("{list}?{query}"),
        }
    }
}

impl FromRequestParts<Arc<App>> for Referer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let header = parts.headers.get(REFERER);
        let text = header.and_then(|header| header.to_str().ok());
        Ok(Self {
            page: text.and_then(|text| Url::parse(text).ok()),
            base: app.base.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_to_lists_only() {
        let back = |url: &str| {
            let referer = Referer {
                page: Url::parse(url).ok(),
                base: BasePath::of("https://a.example/redflash").unwrap(),
            };
            referer.list_or("/admin/contacts", "/admin/contacts/ann")
        };
        let list =
            "https://a.example/admin/contacts?q=x%26y&notice=off&undo=contacts/eve&after=bob";
        assert_eq!(back(list), "/admin/contacts?q=x%26y&after=bob");
        assert_eq!(back("https://a.example/admin/contacts"), "/admin/contacts");
        let below = "https://a.example/redflash/admin/contacts?q=x";
        assert_eq!(back(below), "/admin/contacts?q=x");
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
