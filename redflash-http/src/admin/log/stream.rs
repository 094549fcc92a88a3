//! `GET /admin/log/{id}/events`: the deliveries of a notification, as they change.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use redflash_core::clock::Timestamp;
use redflash_core::error_chain;
use redflash_core::model::NotificationId;
use redflash_core::store::StoreError;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::admin::auth::session;
use crate::admin::log::deliveries::Deliveries;
use crate::admin::log::notification;
use crate::admin::log::stream_slots::StreamSlot;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::path::NotificationPath;
use crate::route::{Auth, Permission, Route};
use crate::server::connection::Stopping;

/// Seconds until a rejected client may try again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");
/// Interval between reads of the store.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Number of polls between two checks of the session.
const POLLS_PER_SESSION_CHECK: u32 = 4;
/// Maximum duration of a stream, reconnects included.
const MAX_DURATION: Duration = Duration::from_secs(600);
/// Interval of the keep-alive comments of an idle stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        "/admin/log/{id}/events",
        Auth::Session(Permission::View),
        events,
    )]
}

/// A client that follows a notification.
struct Follower {
    context: PageContext,
    id: NotificationId,
    /// Time of the first connection.
    began: Timestamp,
    /// The deliveries that were sent last, as JSON.
    sent: String,
    polls: u32,
    interval: Interval,
    stop: CancellationToken,
    _slot: StreamSlot,
}

/// The result of a read of the store.
enum Poll {
    /// The deliveries have changed.
    Changed(String),
    /// All deliveries are final, or the stream has reached its maximum duration.
    End,
    /// The session has ended.
    SessionEnded,
    Unchanged,
}

async fn events(
    context: PageContext,
    NotificationPath(id): NotificationPath,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    notification::find(&context, id).await?;
    let Some(slot) = context.app.stream_slots.acquire() else {
        let text = "Too many open event streams.\n";
        let busy = (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, RETRY_SECONDS)],
            text,
        );
        return Ok(busy.into_response());
    };
    let mut interval = interval(POLL_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower {
        began: began(&headers, context.now()),
        context,
        id,
        sent: String::new(),
        polls: 0,
        interval,
        stop: stopping
            .map(|Extension(Stopping(stop))| stop)
            .unwrap_or_default(),
        _slot: slot,
    };
    let events = stream::unfold(Some(follower), |follower| async { follower?.next().await });
    let alive = KeepAlive::new().interval(KEEP_ALIVE);
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(events).keep_alive(alive)).into_response())
}

/// Returns the time of the first connection, which a browser sends when it reconnects.
fn began(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let sent = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let sent = sent
        .and_then(|id| id.parse().ok())
        .map(Timestamp::from_millis);
    sent.filter(|began| *began <= now).unwrap_or(now)
}

type Item = Result<Event, Infallible>;

impl Follower {
    /// Waits for the next change. `None` ends the stream without an end event, so that the browser
    /// reconnects.
    async fn next(mut self) -> Option<(Item, Option<Self>)> {
        let stop = self.stop.clone();
        loop {
            stop.run_until_cancelled(self.interval.tick()).await?;
            match stop.run_until_cancelled(self.poll()).await? {
                Ok(Poll::Unchanged) => {}
                Ok(Poll::Changed(html)) => {
                    let id = self.began.as_millis().to_string();
                    return Some((Ok(Event::default().id(id).data(html)), Some(self)));
                }
                Ok(Poll::End) => return Some((Ok(end()), None)),
                Ok(Poll::SessionEnded) => return None,
                Err(error) => {
                    warn!(
                        error = error_chain(&error),
                        "failed to stream the deliveries of a notification"
                    );
                    return None;
                }
            }
        }
    }

    async fn poll(&mut self) -> Result<Poll, StoreError> {
        let engine = &self.context.app.engine;
        if self.polls.is_multiple_of(POLLS_PER_SESSION_CHECK)
            && !session::is_active(&self.context.app, &self.context.visitor).await?
        {
            return Ok(Poll::SessionEnded);
        }
        self.polls += 1;
        let found = engine.store().notification(self.id).await?;
        let Some((notification, records)) = found else {
            return Ok(Poll::End);
        };
        let deliveries = Deliveries::of(&notification, &records, self.context.is_admin());
        // Compared as JSON, since the HTML has times relative to now.
        let current = serde_json::to_string(&deliveries).unwrap_or_default();
        if current != self.sent {
            self.sent = current;
            return Ok(Poll::Changed(
                self.context.fragment("deliveries", deliveries).0,
            ));
        }
        let is_over = !deliveries.open || self.context.now().since(self.began) >= MAX_DURATION;
        Ok(if is_over { Poll::End } else { Poll::Unchanged })
    }
}

fn end() -> Event {
    Event::default().event("end").data("end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_start_time_when_reconnecting() {
        let now = Timestamp::from_millis(1_000);
        let began = |id: &str| {
            let headers = [("last-event-id", id)];
            let headers = headers.map(|(name, id)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_str(id).unwrap())
            });
            super::began(&headers.into_iter().collect(), now)
        };
        assert_eq!(began("400"), Timestamp::from_millis(400));
        for odd in ["", "1001", "soon", "9999999999999999999"] {
            assert_eq!(began(odd), now, "{odd}");
        }
    }
}
