//! `GET /admin/log/{id}/events`: what becomes of a notification, told as it happens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use redflash_core::{NotificationId, StoreError, Timestamp, error_chain};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::admin::auth::session;
use crate::admin::log::deliveries::Deliveries;
use crate::admin::log::notification;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::path::NamedNotification;
use crate::route::{Auth, Permission, Route};
use crate::server::Stopping;

/// How many streams there are at once.
const PLACES: usize = 100;
/// When to come again once all places are taken.
const AGAIN: HeaderValue = HeaderValue::from_static("10");
/// How often the store is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// At every how many looks it is found out whether the session still runs.
const ADMITTED: u32 = 4;
/// How long somebody is told, however often the connection is made anew.
const LONGEST: Duration = Duration::from_secs(600);
/// How often an idle stream shows that it is alive.
const ALIVE: Duration = Duration::from_secs(15);

/// The places for those who are told.
pub(crate) struct StreamSlots(Arc<Semaphore>);

impl Default for StreamSlots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![Route::new(
        Method::GET,
        "/admin/log/{id}/events",
        Auth::Session(Permission::View),
        events,
    )]
}

/// Somebody who is told.
struct Watch {
    desk: PageContext,
    id: NotificationId,
    /// When the first connection was made.
    began: Timestamp,
    /// What was told last.
    told: String,
    looks: u32,
    look: Interval,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// What a look at the store comes to.
enum Look {
    /// Something has changed.
    News(String),
    /// Nothing more is to happen.
    End,
    /// Whoever watches may not any more.
    Gone,
    Nothing,
}

async fn events(
    desk: PageContext,
    NamedNotification(id): NamedNotification,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    notification::find(&desk, id).await?;
    let Ok(place) = Arc::clone(&desk.app.live.0).try_acquire_owned() else {
        let text = "Too many open event streams.\n";
        let busy = (
            StatusCode::SERVICE_UNAVAILABLE,
            [(RETRY_AFTER, AGAIN)],
            text,
        );
        return Ok(busy.into_response());
    };
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watch = Watch {
        began: began(&headers, desk.now()),
        desk,
        id,
        told: String::new(),
        looks: 0,
        look,
        stop: stopping
            .map(|Extension(Stopping(stop))| stop)
            .unwrap_or_default(),
        _place: place,
    };
    let told = stream::unfold(Some(watch), |watch| async { watch?.next().await });
    let alive = KeepAlive::new().interval(ALIVE);
    let unbuffered = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((unbuffered, Sse::new(told).keep_alive(alive)).into_response())
}

/// When the first connection of a page was made, which a browser that comes again says.
fn began(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let said = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let said = said
        .and_then(|id| id.parse().ok())
        .map(Timestamp::from_millis);
    said.filter(|began| *began <= now).unwrap_or(now)
}

type Told = Result<Event, Infallible>;

impl Watch {
    /// Waits for something to tell; `None` when the stream ends without a word, so that the browser
    /// comes again.
    async fn next(mut self) -> Option<(Told, Option<Self>)> {
        let stop = self.stop.clone();
        loop {
            stop.run_until_cancelled(self.look.tick()).await?;
            match stop.run_until_cancelled(self.look()).await? {
                Ok(Look::Nothing) => {}
                Ok(Look::News(html)) => {
                    let id = self.began.as_millis().to_string();
                    return Some((Ok(Event::default().id(id).data(html)), Some(self)));
                }
                Ok(Look::End) => return Some((Ok(end()), None)),
                Ok(Look::Gone) => return None,
                Err(fault) => {
                    warn!(
                        fault = error_chain(&fault),
                        "live updates of a notification failed"
                    );
                    return None;
                }
            }
        }
    }

    async fn look(&mut self) -> Result<Look, StoreError> {
        let engine = &self.desk.app.engine;
        if self.looks.is_multiple_of(ADMITTED) && !session::runs_on(&self.desk).await? {
            return Ok(Look::Gone);
        }
        self.looks += 1;
        let found = engine.store().notification(self.id).await?;
        let Some((notification, records)) = found else {
            return Ok(Look::End);
        };
        let deliveries = Deliveries::of(&notification, &records, self.desk.is_admin());
        // Without times relative to now, which change all the time.
        let told = serde_json::to_string(&deliveries).unwrap_or_default();
        if told != self.told {
            self.told = told;
            return Ok(Look::News(self.desk.fragment("deliveries", deliveries)));
        }
        let is_over = !deliveries.open || self.desk.now().since(self.began) >= LONGEST;
        Ok(if is_over { Look::End } else { Look::Nothing })
    }
}

fn end() -> Event {
    Event::default().event("end").data("end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_again_is_told_no_longer() {
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
