//! `/admin/log`: notifications, newest first.

use std::num::NonZeroU32;

use axum::http::Method;
use axum::response::Response;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Delivery;
use redflash_core::model::NotificationId;
use redflash_core::plan::Notification;
use serde::Serialize;

use crate::admin::log::query::{Fields, LogQuery};
use crate::admin::log::state_counts::StateCount;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::partials::{Empty, Link};
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::route::{Auth, Permission, Route};

/// Number of notifications on a page.
const PAGE_SIZE: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
/// Maximum length of the excerpt of a message, in characters.
const MAX_EXCERPT: usize = 160;

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        urls::LOG,
        Auth::Session(Permission::View),
        list,
    )]
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
    state_counts: Vec<StateCount>,
}

async fn list(context: PageContext) -> Result<Response, PageError> {
    let query = LogQuery::of(&context.query);
    let filter = query.filter(PAGE_SIZE);
    let engine = &context.app.engine;
    let found = engine.store().log(&filter).await?;
    let older = found.next.map(|next| query.url(urls::LOG, Some(next)));
    let page = List {
        fields: query.fields(engine),
        empty: empty(&query, found.next, older.as_ref()),
        csv: query.url("/admin/log.csv", None),
        newest: filter.before.map(|_| query.url(urls::LOG, None)),
        older,
        rows: found.entries.into_iter().map(row).collect(),
    };
    Ok(context.page("log", Section::Log, "Log", page))
}

fn row((notification, deliveries): (Notification, Vec<Delivery>)) -> Row {
    Row {
        url: urls::notification(notification.id),
        at: notification.raised_at,
        target: Link::target(notification.target()),
        state_counts: StateCount::of(&deliveries),
        words: excerpt(&notification.plan.message.body),
        name: notification.plan.name.to_string(),
    }
}

/// Returns the text of a page without notifications.
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
    if query.is_unfiltered() {
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
            url: urls::LOG.into(),
            label: "Clear filters".into(),
        }),
    }
}

/// Returns the beginning of a text, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_EXCERPT) {
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_text_to_one_line() {
        assert_eq!(excerpt(" a\n\n b\tc "), "a b c");
        let cut = excerpt(&"é".repeat(200));
        assert_eq!(cut.chars().count(), MAX_EXCERPT + 1);
        assert!(cut.ends_with("é…"));
    }
}
