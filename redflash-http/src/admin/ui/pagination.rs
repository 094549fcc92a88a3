//! A list of the directory in pages: what matches a text, in the order of slugs.

use redflash_core::Slug;
use serde::Serialize;
use url::form_urlencoded;

use crate::admin::ui::field::Field;
use crate::admin::ui::form::Form;
use crate::admin::ui::partials::{Empty, Link};

/// How many a page has.
const LENGTH: usize = 50;

/// Which part of a list is asked for.
pub(crate) struct Listing<'a> {
    path: &'static str,
    text: &'a str,
    after: Option<&'a str>,
    before: Option<&'a str>,
}

/// That part.
pub(crate) struct Excerpt<T> {
    pub(crate) shown: Vec<T>,
    /// How many match in all.
    pub(crate) count: usize,
    pub(crate) turn: Turn,
}

/// The ways to what stands before and after.
#[derive(Serialize)]
pub(crate) struct Turn {
    back: Option<String>,
    more: Option<String>,
}

impl<'a> Listing<'a> {
    /// What a query asks for: `q`, and `after` or `before` a slug.
    pub(crate) fn of(path: &'static str, query: &'a Form) -> Self {
        Self {
            path,
            text: query.given("q").unwrap_or_default(),
            after: query.given("after"),
            before: query.given("before"),
        }
    }

    /// That part of the list.
    ///
    /// * `texts` - where the text is looked for.
    pub(crate) fn excerpt<T, S: AsRef<str>>(
        &self,
        mut all: Vec<T>,
        slug: impl Fn(&T) -> &Slug,
        texts: impl Fn(&T) -> Vec<S>,
    ) -> Excerpt<T> {
        let wanted = compact(self.text);
        all.retain(|one| {
            texts(one)
                .into_iter()
                .any(|text: S| compact(text.as_ref()).contains(&wanted))
        });
        all.sort_by(|one, other| slug(one).cmp(slug(other)));
        let count = all.len();
        let start = match (self.after, self.before) {
            (Some(after), _) => all.partition_point(|one| slug(one).as_str() <= after),
            (None, Some(before)) => all
                .partition_point(|one| slug(one).as_str() < before)
                .saturating_sub(LENGTH),
            (None, None) => 0,
        };
        let shown: Vec<T> = all.into_iter().skip(start).take(LENGTH).collect();
        let (first, last) = (shown.first().map(&slug), shown.last().map(&slug));
        let rest = count > start + shown.len();
        let turn = Turn {
            back: first
                .filter(|_| start > 0)
                .map(|slug| self.url("before", slug)),
            more: last.filter(|_| rest).map(|slug| self.url("after", slug)),
        };
        Excerpt { shown, count, turn }
    }

    fn url(&self, place: &str, slug: &Slug) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.text.is_empty() {
            query.append_pair("q", self.text);
        }
        query.append_pair(place, slug.as_str());
        format!("{}?{}", self.path, query.finish())
    }

    /// The line in which one searches.
    pub(crate) fn field(&self, label: &'static str) -> Field {
        Field::input("q", label, "search").value(self.text)
    }

    /// What stands in the place of a list in which nothing is.
    ///
    /// * `otherwise` - said when nothing was searched for.
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

/// A text as it is compared: in lower case, and without spaces, so that a number is found however it
/// is typed.
pub(crate) fn compact(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slugs() -> Vec<Slug> {
        let all = (0..120).rev().map(|number| format!("c{number:03}"));
        all.map(|slug| slug.parse().unwrap()).collect()
    }

    fn excerpt(query: &str) -> (Vec<String>, Option<String>, Option<String>) {
        let query = Form::parse(query.as_bytes()).unwrap();
        let listing = Listing::of("/x", &query);
        let Excerpt { shown, turn, .. } =
            listing.excerpt(slugs(), |slug| slug, |slug| vec![slug.to_string()]);
        let shown = shown.iter().map(ToString::to_string).collect();
        (shown, turn.back, turn.more)
    }

    #[test]
    fn a_list_is_turned_by_slugs() {
        let (first, back, more) = excerpt("");
        assert_eq!((first.len(), &*first[0], back), (50, "c000", None));
        assert_eq!(more.as_deref(), Some("/x?after=c049"));
        let (last, back, more) = excerpt("after=c099");
        assert_eq!((last.len(), &*last[0], more), (20, "c100", None));
        assert_eq!(back.as_deref(), Some("/x?before=c100"));
        let (middle, ..) = excerpt("before=c100");
        assert_eq!(
            (middle.len(), &*middle[0], &*middle[49]),
            (50, "c050", "c099")
        );
    }

    #[test]
    fn a_search_is_kept_while_turning() {
        let (found, _, more) = excerpt("q=C+0");
        assert_eq!(
            (found.len(), more.as_deref()),
            (50, Some("/x?q=C+0&after=c049"))
        );
        let (found, back, more) = excerpt("q=c11");
        assert_eq!((found.len(), back, more), (10, None, None));
    }

    #[test]
    fn an_absurd_place_shows_an_empty_page() {
        assert!(excerpt("after=%F0%9F%92%A9").0.is_empty());
        assert_eq!(excerpt("before=").0.len(), 50);
        assert_eq!(excerpt("page=1000000000000000000").0.len(), 50);
    }
}
