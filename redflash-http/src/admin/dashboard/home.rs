//! `/admin`: how things are, in one look.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::Method;
use axum::response::Response;
use redflash_core::store::{Backlog, Recent};
use redflash_core::{DeliveryState, Engine, Health, StoreError, Timestamp};
use serde::Serialize;

use crate::admin::dashboard::chart::Chart;
use crate::admin::dashboard::disabled;
use crate::admin::dashboard::disabled::Off;
use crate::admin::gateway::attempt_chart;
use crate::admin::gateway::state;
use crate::admin::gateway::state::GatewayRow;
use crate::admin::log::history;
use crate::admin::log::history::Sent;
use crate::admin::ui::page::PageContext;
use crate::admin::ui::page_error::PageError;
use crate::admin::ui::templates::Section;
use crate::last_day;
use crate::route::{Auth, Permission, Route};

const CHART: &str = "Delivery attempts, last 24 hours (UTC)";
/// How long a delivery that is due may wait before it is a worry.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long the dispatcher may go without a look at the queue.
const ASLEEP: Duration = Duration::from_secs(60);
/// How many notifications that went badly are shown.
const SHOWN: NonZeroU32 = NonZeroU32::new(8).expect("not zero");
/// How many of the newest notifications are shown.
const LATELY: NonZeroU32 = NonZeroU32::new(5).expect("not zero");

pub(crate) fn routes() -> Vec<Route> {
    let view = Auth::Session(Permission::View);
    vec![
        Route::new(Method::GET, "/admin", view, page),
        Route::new(Method::GET, "/admin/", view, page),
    ]
}

#[derive(Serialize)]
struct Page {
    /// Whether there is nobody yet who could be told.
    is_new: bool,
    /// Whether nothing is to be worried about.
    is_well: bool,
    worries: Vec<Worry>,
    numbers: Vec<Number>,
    /// Whether only the newest were counted.
    is_cut: bool,
    chart: Chart,
    failed: Vec<Sent>,
    /// The newest, whatever became of them.
    lately: Vec<Sent>,
    gateways: Vec<GatewayRow>,
    off: Vec<Off>,
}

/// Something that somebody should look at.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Worry {
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

async fn page(desk: PageContext) -> Result<Response, PageError> {
    let engine = &desk.app.engine;
    let now = desk.now();
    let recent = last_day::recent(engine).await?;
    let backlog = engine.store().backlog().await?;
    let health = engine.health();
    let worries = worries(&health, &backlog, &recent, now);
    let failed = failed(engine, last_day::begin(now)).await?;
    let page = Page {
        is_new: engine.store().contacts().await?.is_empty(),
        is_well: worries.is_empty() && failed.is_empty(),
        numbers: numbers(&backlog, &recent),
        is_cut: recent.cut,
        chart: attempt_chart::chart(CHART, recent.outcomes.iter(), now),
        gateways: state::rows(engine, &engine.gateway_statuses().await?),
        off: disabled::all(engine).await?,
        lately: history::newest(engine, LATELY).await?,
        worries,
        failed,
    };
    Ok(desk.page("home", Section::Home, "Home", page))
}

/// The newest notifications of which something did not go out.
async fn failed(engine: &Engine, since: Timestamp) -> Result<Vec<Sent>, StoreError> {
    let bad = [
        DeliveryState::Failed,
        DeliveryState::Quarantined,
        DeliveryState::Suppressed,
    ];
    history::in_states(engine, &bad, since, SHOWN).await
}

fn worries(health: &Health, backlog: &Backlog, recent: &Recent, now: Timestamp) -> Vec<Worry> {
    let worry = |text: &str, since, url: &str| Worry {
        text: text.to_owned(),
        since,
        url: url.to_owned(),
    };
    let mut worries = Vec::new();
    if !health.running || !health.problems.is_empty() {
        let verb = if health.running {
            "has a problem"
        } else {
            "is not running"
        };
        let text = format!("The dispatcher {verb}: {}.", health.problems.join("; "));
        worries.push(worry(&text, None, "/admin/log?state=queued"));
    } else if let Some(at) = health.moved_at.filter(|at| now.since(*at) >= ASLEEP) {
        worries.push(worry(
            "The dispatcher has not checked the queue recently.",
            Some(at),
            "/admin/log?state=queued",
        ));
    }
    for gateway in &health.stopped {
        let url = format!("/admin/gateways/{gateway}");
        worries.push(worry(&format!("Gateway {gateway} is stopped."), None, &url));
    }
    if let Some(due) = backlog.oldest_due.filter(|due| now.since(*due) >= PATIENCE) {
        let text = counted(
            backlog.queued,
            "delivery is waiting",
            "deliveries are waiting",
        );
        worries.push(worry(
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
        worries.push(worry(
            &format!("{text} until resent."),
            None,
            "/admin/log?state=quarantined",
        ));
    }
    worries
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
            moved_at: Some(NOW),
            queued: 0,
            nodes: 1,
            gateways: Vec::new(),
            stopped: Vec::new(),
        }
    }

    fn texts(worries: &[Worry]) -> Vec<&str> {
        worries.iter().map(|worry| &*worry.text).collect()
    }

    #[test]
    fn nothing_is_a_worry_while_everything_moves() {
        let soon = Backlog {
            queued: 3,
            sending: 1,
            oldest_due: Some(NOW.minus(PATIENCE / 2)),
        };
        assert_eq!(worries(&healthy(), &soon, &Recent::default(), NOW), []);
    }

    #[test]
    fn what_stands_still_is_a_worry() {
        let health = Health {
            moved_at: Some(NOW.minus(ASLEEP)),
            stopped: vec!["sms".parse().unwrap()],
            ..healthy()
        };
        let backlog = Backlog {
            queued: 1,
            sending: 0,
            oldest_due: Some(NOW.minus(PATIENCE)),
        };
        let recent = Recent {
            states: [(DeliveryState::Quarantined, 2)].into(),
            ..Recent::default()
        };
        let worries = worries(&health, &backlog, &recent, NOW);
        assert_eq!(
            texts(&worries),
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
        let worries = super::worries(&off, &Backlog::default(), &Recent::default(), NOW);
        assert!(texts(&worries)[0].contains("is not running"));
    }
}
