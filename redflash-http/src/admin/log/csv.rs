//! `GET /admin/log.csv`: the log as a table, with one line per delivery.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::Method;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use csv::{Terminator, Writer, WriterBuilder};
use futures_util::stream;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::Delivery;
use redflash_core::error_chain;
use redflash_core::plan::Notification;
use redflash_core::store::{LogFilter, LogPage};
use tracing::warn;

use crate::admin::log::query::LogQuery;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

/// Number of notifications read at once.
const PAGE_SIZE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
/// Minimum size of a chunk of the response, in bytes.
const CHUNK_SIZE: usize = 64 * 1024;

/// Without this mark, Excel reads UTF-8 as the code page of its machine.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const HEADER: [&str; 18] = [
    "raised_at",
    "notification",
    "target",
    "name",
    "raised_by",
    "contact",
    "via",
    "channel",
    "address",
    "state",
    "attempts",
    "gateway",
    "message_id",
    "parts",
    "price",
    "at",
    "detail",
    "message",
];

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        "/admin/log.csv",
        Auth::Session(Permission::View),
        csv,
    )]
}

/// A table that is read and written in chunks, as fast as the client reads.
struct Table {
    app: Arc<App>,
    filter: LogFilter,
    /// Entries that are read but not written yet.
    pending: VecDeque<(Notification, VecDeque<Delivery>)>,
    /// True if the log has more entries.
    has_more: bool,
    has_header: bool,
}

async fn csv(context: PageContext) -> Result<Response, PageError> {
    let mut table = Table {
        filter: LogQuery::of(&context.query).filter(PAGE_SIZE),
        app: context.app,
        pending: VecDeque::new(),
        has_more: true,
        has_header: false,
    };
    // An error of the store can be reported only before the response has started.
    let page = table.app.engine.store().log(&table.filter).await?;
    table.take(page);
    let chunks = stream::unfold(Some(table), |table| async { table?.next().await });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"redflash-log.csv\"",
        ),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
}

type Chunk = io::Result<Bytes>;

impl Table {
    /// Returns the next chunk. An error aborts the response, so that it does not look complete.
    async fn next(mut self) -> Option<(Chunk, Option<Self>)> {
        while self.pending.is_empty() && self.has_more {
            // Raises go first.
            tokio::task::yield_now().await;
            match self.app.engine.store().log(&self.filter).await {
                Ok(page) => self.take(page),
                Err(error) => {
                    warn!(
                        error = error_chain(&error),
                        "CSV export of the log was cut off"
                    );
                    return Some((Err(io::Error::other(error)), None));
                }
            }
        }
        if self.pending.is_empty() && self.has_header {
            return None;
        }
        match self.write() {
            Ok(chunk) => Some((Ok(chunk), Some(self))),
            Err(error) => Some((Err(error), None)),
        }
    }

    fn take(&mut self, page: LogPage) {
        self.filter.before = page.next;
        self.has_more = page.next.is_some();
        for (notification, deliveries) in page.entries {
            let matching = deliveries.into_iter().filter(|one| self.matches(one));
            let matching: VecDeque<_> = matching.collect();
            if !matching.is_empty() {
                self.pending.push_back((notification, matching));
            }
        }
    }

    /// Returns true if the filter matches the delivery itself, not only its notification.
    fn matches(&self, delivery: &Delivery) -> bool {
        let filter = &self.filter;
        filter.state.is_none_or(|state| delivery.state == state)
            && (filter.contact.as_ref()).is_none_or(|contact| delivery.contact == *contact)
            && (filter.channel.as_ref()).is_none_or(|channel| delivery.channel == *channel)
            && (filter.gateway.as_ref())
                .is_none_or(|gateway| delivery.gateway.as_ref() == Some(gateway))
    }

    fn write(&mut self) -> Chunk {
        let start = if self.has_header { "" } else { BYTE_ORDER_MARK };
        let mut writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(start.as_bytes().to_vec());
        if !self.has_header {
            writer.write_record(HEADER)?;
            self.has_header = true;
        }
        while let Some((notification, deliveries)) = self.pending.front_mut() {
            let Some(delivery) = deliveries.pop_front() else {
                self.pending.pop_front();
                continue;
            };
            write_line(&mut writer, notification, &delivery)?;
            writer.flush()?;
            if writer.get_ref().len() >= CHUNK_SIZE {
                break;
            }
        }
        let written = writer
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        Ok(written.into())
    }
}

fn write_line(
    writer: &mut Writer<Vec<u8>>,
    notification: &Notification,
    delivery: &Delivery,
) -> csv::Result<()> {
    let text = |value: Option<&dyn ToString>| value.map(ToString::to_string).unwrap_or_default();
    let via: Vec<_> = delivery.via.iter().map(ToString::to_string).collect();
    let cells: [String; 18] = [
        time(notification.raised_at),
        notification.id.to_string(),
        notification.target().to_string(),
        notification.plan.name.to_string(),
        text(notification.raised_by.as_ref().map(|key| key as _)),
        delivery.contact.to_string(),
        via.join(" "),
        delivery.channel.to_string(),
        delivery.address.to_string(),
        delivery.state.to_string(),
        delivery.attempts.to_string(),
        text(delivery.gateway.as_ref().map(|gateway| gateway as _)),
        text(delivery.message_id.as_ref().map(|id| id as _)),
        text(delivery.parts.as_ref().map(|parts| parts as _)),
        text(delivery.price.as_ref().map(|price| price as _)),
        time(delivery.due_at),
        delivery.detail.clone(),
        notification.plan.message.body.clone(),
    ];
    writer.write_record(cells.map(sanitize))
}

fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    at.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// Escapes a text that spreadsheets would read as a formula.
fn sanitize(text: String) -> String {
    let begins = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.starts_with(begins) {
        return format!("'{text}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_formulas() {
        for formula in [
            "=1+1", "+44", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A",
        ] {
            assert_eq!(sanitize(formula.into()), format!("'{formula}"));
        }
        for plain in ["", "ann", "a=b", "'=1", "1-2"] {
            assert_eq!(sanitize(plain.into()), plain);
        }
    }
}
