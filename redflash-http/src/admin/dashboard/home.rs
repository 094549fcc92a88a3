//! `/admin`: the state of the system at a glance.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::Method;
use axum::response::Response;
use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::delivery::DeliveryState;
use redflash_core::engine::Health;
use redflash_core::store::{Backlog, Recent, StoreError};
use serde::Serialize;

use crate::admin::dashboard::chart::Chart;
use crate::admin::dashboard::disabled;
use crate::admin::dashboard::disabled::DisabledItems;
use crate::admin::gateway::attempt_chart;
use crate::admin::gateway::state;
use crate::admin::gateway::state::GatewayRow;
use crate::admin::log::history;
use crate::admin::log::history::RecentNotification;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;
use crate::admin::urls;
use crate::last_day;
use crate::route::{Auth, Permission, Route};

const CHART: &str = "Delivery attempts, last 24 hours (UTC)";
/// Maximum delay of a due delivery without a warning.
const MAX_DELAY: Duration = Duration::from_secs(5 * 60);
/// Maximum time without activity of the dispatcher.
const MAX_IDLE: Duration = Duration::from_secs(60);
/// Maximum number of failed notifications.
const MAX_FAILED: NonZeroU32 = NonZeroU32::new(8).expect("not zero");
/// Maximum number of recent notifications.
const MAX_RECENT: NonZeroU32 = NonZeroU32::new(5).expect("not zero");

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![
        Route::new(Method::GET, urls::HOME, view, page),
        Route::new(Method::GET, "/admin/", view, page),
    ]
}

#[derive(Serialize)]
struct Page {
    /// True if there is no contact yet.
    is_new: bool,
    /// True if there are neither warnings nor failures.
    is_healthy: bool,
    warnings: Vec<Warning>,
    numbers: Vec<Number>,
    /// True if only the newest deliveries were counted.
    is_truncated: bool,
    chart: Chart,
    failed: Vec<RecentNotification>,
    /// The newest notifications, whatever their outcome.
    recent_notifications: Vec<RecentNotification>,
    gateways: Vec<GatewayRow>,
    disabled: Vec<DisabledItems>,
}

/// A condition that needs attention.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Warning {
    text: String,
    since: Option<Timestamp>,
    url: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Number {
    label: &'static str,
    count: u64,
    url: &'static str,
    is_bad: bool,
}

async fn page(context: PageContext) -> Result<Response, PageError> {
    let engine = &context.app.engine;
    let now = context.now();
    let recent = last_day::recent(engine).await?;
    let backlog = engine.store().backlog().await?;
    let health = engine.health();
    let warnings = warnings(&health, &backlog, &recent, now);
    let failed = failed(engine, last_day::start(now)).await?;
    let page = Page {
        is_new: engine.store().contacts().await?.is_empty(),
        is_healthy: warnings.is_empty() && failed.is_empty(),
        numbers: numbers(&backlog, &recent),
        is_truncated: recent.cut,
        chart: attempt_chart::chart(CHART, recent.outcomes.iter(), now),
        gateways: state::rows(engine, &engine.gateway_statuses().await?),
        disabled: disabled::all(engine).await?,
        recent_notifications: history::newest(engine, MAX_RECENT).await?,
        warnings,
        failed,
    };
    Ok(context.page("home", Section::Home, "Home", page))
}

/// Returns the newest notifications with a delivery that failed.
async fn failed(engine: &Engine, since: Timestamp) -> Result<Vec<RecentNotification>, StoreError> {
    let bad = [
        DeliveryState::Failed,
        DeliveryState::Quarantined,
        DeliveryState::Suppressed,
    ];
    history::in_states(engine, &bad, since, MAX_FAILED).await
}

fn warnings(health: &Health, backlog: &Backlog, recent: &Recent, now: Timestamp) -> Vec<Warning> {
    let warning = |text: &str, since, url: &str| Warning {
        text: text.to_owned(),
        since,
        url: url.to_owned(),
    };
    let mut warnings = Vec::new();
    if !health.running || !health.problems.is_empty() {
        let verb = if health.running {
            "has a problem"
        } else {
            "is not running"
        };
        let text = format!("The dispatcher {verb}: {}.", health.problems.join("; "));
        warnings.push(warning(&text, None, "/admin/log?state=queued"));
    } else if let Some(at) = health.last_poll_at.filter(|at| now.since(*at) >= MAX_IDLE) {
        warnings.push(warning(
            "The dispatcher has not checked the queue recently.",
            Some(at),
            "/admin/log?state=queued",
        ));
    }
    for gateway in &health.stopped {
        let url = format!("/admin/gateways/{gateway}");
        warnings.push(warning(
            &format!("Gateway {gateway} is stopped."),
            None,
            &url,
        ));
    }
    if let Some(due) = backlog
        .oldest_due
        .filter(|due| now.since(*due) >= MAX_DELAY)
    {
        let text = counted(
            backlog.queued,
            "delivery is waiting",
            "deliveries are waiting",
        );
        warnings.push(warning(
            &format!("{text}; the oldest is overdue."),
            Some(due),
            "/admin/log?state=queued",
        ));
    }
    let aside = count(recent, &[DeliveryState::Quarantined]);
    if aside > 0 {
        let text = counted(
            aside,
            "delivery is quarantined",
            "deliveries are quarantined",
        );
        warnings.push(warning(
            &format!("{text} until resent."),
            None,
            "/admin/log?state=quarantined",
        ));
    }
    warnings
}

fn counted(count: u64, one: &str, many: &str) -> String {
    let words = if count == 1 { one } else { many };
    format!("{count} {words}")
}

fn count(recent: &Recent, states: &[DeliveryState]) -> u64 {
    let counts = states.iter().filter_map(|state| recent.states.get(state));
    counts.sum()
}

fn numbers(backlog: &Backlog, recent: &Recent) -> Vec<Number> {
    let of = |label, state: DeliveryState, url, is_bad| {
        let count = count(recent, &[state]);
        Number {
            label,
            count,
            url,
            is_bad: is_bad && count > 0,
        }
    };
    vec![
        of(
            "Delivered",
            DeliveryState::Delivered,
            "/admin/log?state=delivered",
            false,
        ),
        of("Sent", DeliveryState::Sent, "/admin/log?state=sent", false),
        Number {
            label: "Waiting",
            count: backlog.queued + backlog.sending,
            url: "/admin/log?state=queued",
            is_bad: false,
        },
        of(
            "Failed",
            DeliveryState::Failed,
            "/admin/log?state=failed",
            true,
        ),
        of(
            "Quarantined",
            DeliveryState::Quarantined,
            "/admin/log?state=quarantined",
            true,
        ),
        of(
            "Suppressed",
            DeliveryState::Suppressed,
            "/admin/log?state=suppressed",
            true,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_581_130_000);

    fn healthy() -> Health {
        Health {
            running: true,
            problems: Vec::new(),
            last_poll_at: Some(NOW),
            queued: 0,
            nodes: 1,
            gateways: Vec::new(),
            stopped: Vec::new(),
        }
    }

    fn texts(warnings: &[Warning]) -> Vec<&str> {
        warnings.iter().map(|warning| &*warning.text).collect()
    }

    #[test]
    fn warns_of_nothing_while_deliveries_move() {
        let soon = Backlog {
            queued: 3,
            sending: 1,
            oldest_due: Some(NOW.minus(MAX_DELAY / 2)),
        };
        assert_eq!(warnings(&healthy(), &soon, &Recent::default(), NOW), []);
    }

    #[test]
    fn warns_of_stopped_gateways_and_late_deliveries() {
        let health = Health {
            last_poll_at: Some(NOW.minus(MAX_IDLE)),
            stopped: vec!["sms".parse().unwrap()],
            ..healthy()
        };
        let backlog = Backlog {
            queued: 1,
            sending: 0,
            oldest_due: Some(NOW.minus(MAX_DELAY)),
        };
        let recent = Recent {
            states: [(DeliveryState::Quarantined, 2)].into(),
            ..Recent::default()
        };
        let warnings = warnings(&health, &backlog, &recent, NOW);
        assert_eq!(
            texts(&warnings),
            [
                "The dispatcher has not checked the queue recently.",
                "Gateway sms is stopped.",
                "1 delivery is waiting; the oldest is overdue.",
                "2 deliveries are quarantined until resent.",
            ]
        );
        let off = Health {
            running: false,
            ..healthy()
        };
        let warnings = super::warnings(&off, &Backlog::default(), &Recent::default(), NOW);
        assert!(texts(&warnings)[0].contains("is not running"));
    }
}
