//! `/admin`: how things are, in one look.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::Method;
use axum::response::Response;
use redflash_core::store::{Backlog, Recent};
use redflash_core::{AttemptOutcome, DeliveryState, Engine, Health, StoreError, Timestamp};
use serde::Serialize;

use super::chart::{Bucket, Chart};
use super::desk::Desk;
use super::gateway_state::{self, GatewayRow};
use super::history::{self, Sent};
use super::off::{self, Off};
use super::oops::Oops;
use super::view::Section;
use crate::route::{Door, Needs, Route};

/// What happened in these last hours is shown, the present one included.
const HOURS: u32 = 24;
const HOUR: Duration = Duration::from_secs(60 * 60);
/// How long a delivery that is due may wait before it is a worry.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long the dispatcher may go without a look at the queue.
const ASLEEP: Duration = Duration::from_secs(60);
/// How many notifications that went badly are shown.
const SHOWN: NonZeroU32 = NonZeroU32::new(8).expect("not zero");

pub(super) fn routes() -> Vec<Route> {
    let view = Door::Session(Needs::View);
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

async fn page(desk: Desk) -> Result<Response, Oops> {
    let engine = &desk.app.engine;
    let now = desk.now();
    let since = now.minus(HOUR * (HOURS - 1)).floor(HOUR);
    let recent = engine.store().recent(since, HOUR).await?;
    let backlog = engine.store().backlog().await?;
    let health = engine.health();
    let worries = worries(&health, &backlog, &recent, now);
    let failed = failed(engine, since).await?;
    let page = Page {
        is_new: engine.store().contacts().await?.is_empty(),
        is_well: worries.is_empty() && failed.is_empty(),
        numbers: numbers(&backlog, &recent),
        is_cut: recent.cut,
        chart: chart(&recent, since),
        gateways: gateway_state::rows(engine, &health),
        off: off::all(engine).await?,
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
    if !health.running {
        worries.push(worry(
            "Nothing is sent from here: the dispatcher does not run.",
            None,
            "/admin/log?state=queued",
        ));
    } else if let Some(at) = health.moved_at.filter(|at| now.since(*at) >= ASLEEP) {
        worries.push(worry(
            "The queue was not looked at for a while.",
            Some(at),
            "/admin/log?state=queued",
        ));
    }
    for gateway in &health.stopped {
        let url = format!("/admin/gateways/{gateway}");
        worries.push(worry(
            &format!("The gateway {gateway} has stopped."),
            None,
            &url,
        ));
    }
    if let Some(due) = backlog.oldest_due.filter(|due| now.since(*due) >= PATIENCE) {
        let text = counted(backlog.queued, "delivery waits", "deliveries wait");
        worries.push(worry(
            &format!("{text}, the first one was due a while ago."),
            Some(due),
            "/admin/log?state=queued",
        ));
    }
    let aside = count(recent, &[DeliveryState::Quarantined]);
    if aside > 0 {
        let text = counted(aside, "delivery is set aside", "deliveries are set aside");
        worries.push(worry(
            &format!("{text} until somebody decides."),
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
            label: "Waiting now",
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
            "Set aside",
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

/// What came of the attempts of each hour.
fn chart(recent: &Recent, since: Timestamp) -> Chart {
    let hours = (0..HOURS).map(|hour| since.plus(HOUR * hour));
    let buckets = hours.map(|at| {
        let of = |outcomes: &[AttemptOutcome]| {
            let all = recent.outcomes.iter();
            let all = all.filter(|one| one.at == at && outcomes.contains(&one.outcome));
            all.map(|one| one.count).sum()
        };
        Bucket {
            label: hour_of_day(at),
            sent: of(&[AttemptOutcome::Ok]),
            waiting: of(&[AttemptOutcome::Retry, AttemptOutcome::Unknown]),
            failed: of(&[AttemptOutcome::Permanent]),
            ..Bucket::default()
        }
    });
    let title = "Attempts of the last 24 hours (UTC)";
    Chart::new(["attempt", "attempts"], title, buckets.collect())
}

fn hour_of_day(at: Timestamp) -> String {
    let hours = at.as_millis().div_euclid(3_600_000);
    format!("{:02}:00", hours.rem_euclid(24))
}

#[cfg(test)]
mod tests {
    use redflash_core::store::OutcomeCount;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_581_130_000);

    fn healthy() -> Health {
        Health {
            running: true,
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
                "The queue was not looked at for a while.",
                "The gateway sms has stopped.",
                "1 delivery waits, the first one was due a while ago.",
                "2 deliveries are set aside until somebody decides.",
            ]
        );
        let off = Health {
            running: false,
            ..healthy()
        };
        let worries = super::worries(&off, &Backlog::default(), &Recent::default(), NOW);
        assert!(texts(&worries)[0].contains("does not run"));
    }

    #[test]
    fn attempts_stand_at_their_hour() {
        let since = NOW.minus(HOUR * 23).floor(HOUR);
        let outcome = |hour, outcome, count| OutcomeCount {
            gateway: None,
            at: since.plus(HOUR * hour),
            outcome,
            count,
        };
        let recent = Recent {
            outcomes: vec![
                outcome(0, AttemptOutcome::Ok, 2),
                outcome(0, AttemptOutcome::Permanent, 1),
                outcome(23, AttemptOutcome::Unknown, 4),
            ],
            ..Recent::default()
        };
        let chart = serde_json::to_value(chart(&recent, since)).unwrap();
        assert_eq!(chart["summary"], "7 attempts: 2 sent, 4 waiting, 1 failed.");
        assert_eq!(
            (&chart["first"], &chart["last"]),
            (&"05:00".into(), &"04:00".into())
        );
    }
}
