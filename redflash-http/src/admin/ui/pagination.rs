//! Search and pagination of directory items, in the order of their slugs.

use redflash_core::model::Slug;
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::partials::{Empty, Link};
use crate::search_text::compact;

/// Number of items on a page.
const PAGE_SIZE: usize = 50;

/// The search and the position of a list.
pub(crate) struct ListQuery<'a> {
    path: &'static str,
    text: &'a str,
    after: Option<&'a str>,
    before: Option<&'a str>,
}

/// A page of a list.
pub(crate) struct Page<T> {
    pub(crate) shown: Vec<T>,
    /// Number of items that match the search.
    pub(crate) count: usize,
    pub(crate) links: PageLinks,
}

/// URLs of the previous and the next page: `{{> partials/page-links page.links}}`, and
/// `{{> partials/pager page.links}}` for lists in the order of time.
#[derive(Serialize)]
pub(crate) struct PageLinks {
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

impl<'a> ListQuery<'a> {
    /// Reads a query: `q`, and `after` or `before` a slug.
    pub(crate) fn of(path: &'static str, query: &'a Form) -> Self {
        Self {
            path,
            text: query.given("q").unwrap_or_default(),
            after: query.given("after"),
            before: query.given("before"),
        }
    }

    /// Returns the page of the list.
    ///
    /// * `texts` - the texts of an item that the search looks at.
    pub(crate) fn page<T, S: AsRef<str>>(
        &self,
        mut all: Vec<T>,
        slug: impl Fn(&T) -> &Slug,
        texts: impl Fn(&T) -> Vec<S>,
    ) -> Page<T> {
        let needle = compact(self.text);
        all.retain(|one| {
            texts(one)
                .into_iter()
                .any(|text: S| compact(text.as_ref()).contains(&needle))
        });
        all.sort_by(|one, other| slug(one).cmp(slug(other)));
        let count = all.len();
        let start = match (self.after, self.before) {
            (Some(after), _) => all.partition_point(|one| slug(one).as_str() <= after),
            (None, Some(before)) => all
                .partition_point(|one| slug(one).as_str() < before)
                .saturating_sub(PAGE_SIZE),
            (None, None) => 0,
        };
        let shown: Vec<T> = all.into_iter().skip(start).take(PAGE_SIZE).collect();
        let (first, last) = (shown.first().map(&slug), shown.last().map(&slug));
        let rest = count > start + shown.len();
        let links = PageLinks {
            previous: first
                .filter(|_| start > 0)
                .map(|slug| self.url("before", slug)),
            next: last.filter(|_| rest).map(|slug| self.url("after", slug)),
        };
        Page {
            shown,
            count,
            links,
        }
    }

    fn url(&self, position: &str, slug: &Slug) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.text.is_empty() {
            query.append_pair("q", self.text);
        }
        query.append_pair(position, slug.as_str());
        format!("{}?{}", self.path, query.finish())
    }

    /// Returns the search field.
    pub(crate) fn field(&self, label: &'static str) -> Field {
        Field::input("q", label, "search").value(self.text)
    }

    /// Returns the text of an empty list.
    ///
    /// * `otherwise` - the text without a search.
    pub(crate) fn empty(&self, otherwise: Empty) -> Empty {
        if self.text.is_empty() && self.after.is_none() && self.before.is_none() {
            return otherwise;
        }
        Empty {
            title: "No results".into(),
            text: "Try part of a name, slug or address.".into(),
            action: Some(Link {
                url: self.path.into(),
                label: "Clear search".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slugs() -> Vec<Slug> {
        let all = (0..120).rev().map(|number| format!("c{number:03}"));
        all.map(|slug| slug.parse().unwrap()).collect()
    }

    fn page(query: &str) -> (Vec<String>, Option<String>, Option<String>) {
        let query = Form::parse(query.as_bytes()).unwrap();
        let list_query = ListQuery::of("/x", &query);
        let Page { shown, links, .. } =
            list_query.page(slugs(), |slug| slug, |slug| vec![slug.to_string()]);
        let shown = shown.iter().map(ToString::to_string).collect();
        (shown, links.previous, links.next)
    }

    #[test]
    fn pages_follow_slugs() {
        let (first, back, more) = page("");
        assert_eq!((first.len(), &*first[0], back), (50, "c000", None));
        assert_eq!(more.as_deref(), Some("/x?after=c049"));
        let (last, back, more) = page("after=c099");
        assert_eq!((last.len(), &*last[0], more), (20, "c100", None));
        assert_eq!(back.as_deref(), Some("/x?before=c100"));
        let (middle, ..) = page("before=c100");
        assert_eq!(
            (middle.len(), &*middle[0], &*middle[49]),
            (50, "c050", "c099")
        );
    }

    #[test]
    fn page_links_keep_the_search() {
        let (found, _, more) = page("q=C+0");
        assert_eq!(
            (found.len(), more.as_deref()),
            (50, Some("/x?q=C+0&after=c049"))
        );
        let (found, back, more) = page("q=c11");
        assert_eq!((found.len(), back, more), (10, None, None));
    }

    #[test]
    fn accepts_any_position() {
        assert!(page("after=%F0%9F%92%A9").0.is_empty());
        assert_eq!(page("before=").0.len(), 50);
        assert_eq!(page("page=1000000000000000000").0.len(), 50);
    }
}
