//! The outcomes of a gateway's attempts in the last day.

use std::collections::BTreeMap;

use redflash_core::clock::Timestamp;
use redflash_core::delivery::AttemptOutcome;
use redflash_core::model::Slug;
use redflash_core::store::{OutcomeCount, Recent};
use serde::Serialize;

use crate::admin::dashboard::chart::{Bucket, Chart};
use crate::last_day;
use crate::last_day::{HOUR, HOURS};

/// A gateway's attempts of the last day by outcome: `page.attempts`.
#[derive(Serialize)]
pub(crate) struct AttemptCounts {
    pub(crate) accepted: u64,
    retry: u64,
    unknown: u64,
    refused: u64,
    /// True if only the newest attempts were counted.
    is_truncated: bool,
    chart: Chart,
}

impl AttemptCounts {
    /// Counts the attempts of one gateway.
    pub(crate) fn of(recent: &Recent, gateway: &Slug, now: Timestamp) -> Self {
        let ours = || {
            let all = recent.outcomes.iter();
            all.filter(|count| count.gateway.as_ref() == Some(gateway))
        };
        let sum = |outcome| {
            let counts = ours().filter(|count| count.outcome == outcome);
            counts.map(|count| count.count).sum()
        };
        Self {
            accepted: sum(AttemptOutcome::Ok),
            retry: sum(AttemptOutcome::Retry),
            unknown: sum(AttemptOutcome::Unknown),
            refused: sum(AttemptOutcome::Permanent),
            is_truncated: recent.cut,
            chart: chart("Attempts per hour (UTC)", ours(), now),
        }
    }

    /// Returns the number of attempts without a known success.
    pub(crate) const fn not_accepted(&self) -> u64 {
        self.retry + self.unknown + self.refused
    }
}

/// Charts attempts by hour of the last day.
pub(crate) fn chart<'a>(
    title: &str,
    counts: impl Iterator<Item = &'a OutcomeCount>,
    now: Timestamp,
) -> Chart {
    let first = last_day::start(now);
    let bucket = |step| {
        let at = first.plus(HOUR * step);
        let label = label(at);
        let bucket = Bucket {
            label,
            ..Bucket::default()
        };
        (at, bucket)
    };
    let mut buckets: BTreeMap<_, _> = (0..HOURS).map(bucket).collect();
    for count in counts {
        let Some(bucket) = buckets.get_mut(&count.at.floor(HOUR)) else {
            continue;
        };
        match count.outcome {
            AttemptOutcome::Ok => bucket.sent += count.count,
            AttemptOutcome::Retry | AttemptOutcome::Unknown => bucket.waiting += count.count,
            AttemptOutcome::Permanent => bucket.failed += count.count,
            _ => {}
        }
    }
    let buckets = buckets.into_values().collect();
    Chart::new(["attempt", "attempts"], title, buckets)
}

/// Returns an hour of the day, such as `04:00`.
fn label(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis());
    at.unwrap_or(jiff::Timestamp::MAX)
        .strftime("%H:%M")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_attempts_of_one_gateway_by_hour() {
        // 2026-11-25 04:32:10 UTC
        let now = Timestamp::from_millis(1_795_581_130_000);
        let count = |gateway: &str, hours: u32, outcome, count| OutcomeCount {
            gateway: gateway.parse().ok(),
            at: now.floor(HOUR).minus(HOUR * hours),
            outcome,
            count,
        };
        let recent = Recent {
            outcomes: vec![
                count("a", 0, AttemptOutcome::Ok, 3),
                count("a", 23, AttemptOutcome::Permanent, 2),
                count("a", 23, AttemptOutcome::Unknown, 1),
                count("b", 0, AttemptOutcome::Ok, 9),
            ],
            ..Recent::default()
        };
        let outcomes = AttemptCounts::of(&recent, &"a".parse().unwrap(), now);
        assert_eq!((outcomes.accepted, outcomes.not_accepted()), (3, 3));
        let chart = serde_json::to_value(&outcomes.chart).unwrap();
        assert_eq!(chart["summary"], "6 attempts: 3 sent, 1 waiting, 2 failed.");
        let rows = chart["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 24);
        assert_eq!(
            rows[0],
            serde_json::json!({ "label": "05:00", "counts": [0, 1, 2] })
        );
        assert_eq!(
            rows[23],
            serde_json::json!({ "label": "04:00", "counts": [3, 0, 0] })
        );
    }
}
