//! `/admin/log`: what was raised, newest first.

use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::{Delivery, Notification, NotificationId, Target, Timestamp};
use serde::Serialize;

use crate::admin::log::query::{Fields, LogQuery};
use crate::admin::log::state_counts::Tally;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::templates::Section;
use crate::route::{Auth, Permission, Route};

/// The list.
pub(crate) const LIST: &str = "/admin/log";
/// How many notifications a page has.
const LENGTH: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
/// How many characters of a message are shown.
const WORDS: usize = 160;

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        LIST,
        Auth::Session(Permission::View),
        list,
    )]
}

/// The page of a notification.
pub(crate) fn url(id: NotificationId) -> String {
    format!("{LIST}/{id}")
}

/// The page of what was raised.
pub(crate) fn target(target: &Target) -> Link {
    Link {
        url: format!("/admin/{}s/{}", target.kind(), target.slug()),
        label: target.to_string(),
    }
}

#[derive(Serialize)]
struct List {
    fields: Fields,
    rows: Vec<Row>,
    empty: Empty,
    csv: String,
    newest: Option<String>,
    older: Option<String>,
}

#[derive(Serialize)]
struct Row {
    url: String,
    at: Timestamp,
    name: String,
    words: String,
    target: Link,
    tally: Vec<Tally>,
}

async fn list(desk: PageContext) -> Result<Response, PageError> {
    let query = LogQuery::of(&desk.query);
    let filter = query.filter(LENGTH);
    let engine = &desk.app.engine;
    let found = engine.store().log(&filter).await?;
    let older = found.next.map(|next| query.url(LIST, Some(next)));
    let page = List {
        fields: query.fields(engine),
        empty: empty(&query, found.next, older.as_ref()),
        csv: query.url("/admin/log.csv", None),
        newest: filter.before.map(|_| query.url(LIST, None)),
        older,
        rows: found.entries.into_iter().map(row).collect(),
    };
    Ok(desk.page("log", Section::Log, "Log", page))
}

fn row((notification, deliveries): (Notification, Vec<Delivery>)) -> Row {
    Row {
        url: url(notification.id),
        at: notification.raised_at,
        target: target(notification.target()),
        tally: Tally::of(&deliveries),
        words: excerpt(&notification.plan.message.body),
        name: notification.plan.name.to_string(),
    }
}

/// What stands in the place of a page on which nothing is.
fn empty(query: &LogQuery<'_>, next: Option<NotificationId>, older: Option<&String>) -> Empty {
    if let (Some(next), Some(older)) = (next, older) {
        let at = jiff::Timestamp::from_millisecond(next.made_at().as_millis());
        let at = at.unwrap_or(jiff::Timestamp::MAX);
        let back = at.strftime("%Y-%m-%d %H:%M UTC");
        return Empty {
            title: "No results so far".into(),
            text: format!("No matches since {back}. Older alerts may match."),
            action: Some(Link {
                url: older.clone(),
                label: "Search older alerts".into(),
            }),
        };
    }
    if query.is_any() {
        return Empty {
            title: "No alerts yet".into(),
            text: "Alerts appear here, with the state of their deliveries.".into(),
            action: None,
        };
    }
    Empty {
        title: "No results".into(),
        text: "Try fewer filters or a longer time range.".into(),
        action: Some(Link {
            url: LIST.into(),
            label: "Clear filters".into(),
        }),
    }
}

/// The beginning of a text, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS) {
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_to_one_line() {
        assert_eq!(excerpt(" a\n\n b\tc "), "a b c");
        let cut = excerpt(&"é".repeat(200));
        assert_eq!(cut.chars().count(), WORDS + 1);
        assert!(cut.ends_with("é…"));
    }
}
