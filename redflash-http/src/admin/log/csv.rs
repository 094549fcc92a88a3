//! `GET /admin/log.csv`: the log as a table for other programs, a line a delivery.

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
use redflash_core::store::{LogFilter, LogPage};
use redflash_core::{Delivery, Notification, Timestamp, error_chain};
use tracing::warn;

use crate::admin::log::query::LogQuery;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::app::App;
use crate::route::{Auth, Permission, Route};

/// How many notifications are read at once.
const PAGE: NonZeroU32 = NonZeroU32::new(100).expect("not zero");
/// About how many bytes are sent at once.
const PIECE: usize = 64 * 1024;

/// The mark without which Excel takes UTF-8 for the code page of its machine.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const HEAD: [&str; 18] = [
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

/// A table that is read and written piece by piece, as fast as it is taken.
struct Table {
    app: Arc<App>,
    filter: LogFilter,
    /// What was read and is not written yet.
    read: VecDeque<(Notification, VecDeque<Delivery>)>,
    /// Whether there is more to be read.
    more: bool,
    begun: bool,
}

async fn csv(desk: PageContext) -> Result<Response, PageError> {
    let mut table = Table {
        filter: LogQuery::of(&desk.query).filter(PAGE),
        app: desk.app,
        read: VecDeque::new(),
        more: true,
        begun: false,
    };
    // Once the table has begun, it is too late to say that the store does not answer.
    let page = table.app.engine.store().log(&table.filter).await?;
    table.take(page);
    let pieces = stream::unfold(Some(table), |table| async { table?.next().await });
    let about = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            CONTENT_DISPOSITION,
            "attachment; filename=\"redflash-log.csv\"",
        ),
    ];
    Ok((about, Body::from_stream(pieces)).into_response())
}

type Piece = io::Result<Bytes>;

impl Table {
    /// The next piece; an error cuts the table off, so that nobody takes it for whole.
    async fn next(mut self) -> Option<(Piece, Option<Self>)> {
        while self.read.is_empty() && self.more {
            // Whoever raises something comes first.
            tokio::task::yield_now().await;
            match self.app.engine.store().log(&self.filter).await {
                Ok(page) => self.take(page),
                Err(fault) => {
                    warn!(
                        fault = error_chain(&fault),
                        "CSV export of the log was cut off"
                    );
                    return Some((Err(io::Error::other(fault)), None));
                }
            }
        }
        if self.read.is_empty() && self.begun {
            return None;
        }
        match self.write() {
            Ok(piece) => Some((Ok(piece), Some(self))),
            Err(fault) => Some((Err(fault), None)),
        }
    }

    fn take(&mut self, page: LogPage) {
        self.filter.before = page.next;
        self.more = page.next.is_some();
        for (notification, deliveries) in page.entries {
            let wanted = deliveries.into_iter().filter(|one| self.wants(one));
            let wanted: VecDeque<_> = wanted.collect();
            if !wanted.is_empty() {
                self.read.push_back((notification, wanted));
            }
        }
    }

    /// Whether a delivery itself is asked for, and not only another of its notification.
    fn wants(&self, delivery: &Delivery) -> bool {
        let filter = &self.filter;
        filter.state.is_none_or(|state| delivery.state == state)
            && (filter.contact.as_ref()).is_none_or(|contact| delivery.contact == *contact)
            && (filter.channel.as_ref()).is_none_or(|channel| delivery.channel == *channel)
            && (filter.gateway.as_ref())
                .is_none_or(|gateway| delivery.gateway.as_ref() == Some(gateway))
    }

    fn write(&mut self) -> Piece {
        let start = if self.begun { "" } else { BYTE_ORDER_MARK };
        let mut writer = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(start.as_bytes().to_vec());
        if !self.begun {
            writer.write_record(HEAD)?;
            self.begun = true;
        }
        while let Some((notification, deliveries)) = self.read.front_mut() {
            let Some(delivery) = deliveries.pop_front() else {
                self.read.pop_front();
                continue;
            };
            line(&mut writer, notification, &delivery)?;
            writer.flush()?;
            if writer.get_ref().len() >= PIECE {
                break;
            }
        }
        let written = writer
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        Ok(written.into())
    }
}

fn line(
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
    writer.write_record(cells.map(harmless))
}

fn time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    at.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: String) -> String {
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
    fn no_cell_is_a_formula() {
        for formula in [
            "=1+1", "+44", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A",
        ] {
            assert_eq!(harmless(formula.into()), format!("'{formula}"));
        }
        for plain in ["", "ann", "a=b", "'=1", "1-2"] {
            assert_eq!(harmless(plain.into()), plain);
        }
    }
}
