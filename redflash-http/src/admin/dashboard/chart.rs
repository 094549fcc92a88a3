//! A bar chart of outcomes over time: `{{> partials/chart page.chart}}`.
//!
//! The bars are SVG rectangles; a table below them has the same numbers.

use serde::Serialize;

/// Width of a bar with its gap, in units of the drawing.
const STEP: u64 = 10;
const BAR: u64 = 8;
/// Height of the highest bar.
const HEIGHT: u64 = 1000;

/// The counts of one period of time, by outcome.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Bucket {
    /// The period, such as `04:00`.
    pub(crate) label: String,
    pub(crate) delivered: u64,
    pub(crate) sent: u64,
    /// Queued or being sent.
    pub(crate) waiting: u64,
    /// Failed, or set aside.
    pub(crate) failed: u64,
    /// Cancelled, or suppressed by a budget.
    pub(crate) stopped: u64,
}

/// A chart, ready to be drawn.
#[derive(Clone, Serialize)]
pub(crate) struct Chart {
    title: String,
    /// The chart in words, for screen readers.
    summary: String,
    width: u64,
    height: u64,
    bars: Vec<Bar>,
    highest: u64,
    first: String,
    last: String,
    /// The outcomes that occur.
    kinds: Vec<&'static str>,
    rows: Vec<Row>,
}

/// The counts of a bucket, one for each outcome that occurs.
#[derive(Clone, Serialize)]
struct Row {
    label: String,
    counts: Vec<u64>,
}

#[derive(Clone, Serialize)]
struct Bar {
    kind: &'static str,
    x: u64,
    y: u64,
    width: u64,
    height: u64,
}

impl Bucket {
    /// Returns the parts of a bar from the bottom up.
    fn parts(&self) -> [(&'static str, u64); 5] {
        [
            ("delivered", self.delivered),
            ("sent", self.sent),
            ("waiting", self.waiting),
            ("stopped", self.stopped),
            ("failed", self.failed),
        ]
    }

    fn total(&self) -> u64 {
        self.parts().iter().map(|(_, count)| count).sum()
    }
}

impl Chart {
    /// Draws the buckets in their order.
    ///
    /// * `noun` - singular and plural of the counted thing, such as `delivery` and `deliveries`.
    pub(crate) fn new(noun: [&str; 2], title: impl Into<String>, buckets: Vec<Bucket>) -> Self {
        let highest = buckets.iter().map(Bucket::total).max().unwrap_or(0);
        let bars = (0..).zip(&buckets);
        let bars = bars.flat_map(|(index, bucket)| stack(index * STEP, bucket, highest));
        let bars = bars.collect();
        let width = (0..).zip(&buckets).map(|(index, _)| (index + 1) * STEP);
        let label = |bucket: Option<&Bucket>| bucket.map_or_else(String::new, |b| b.label.clone());
        let kinds: Vec<_> = totals(&buckets).into_iter().map(|(kind, _)| kind).collect();
        Self {
            title: title.into(),
            summary: summary(&buckets, noun),
            width: width.last().unwrap_or(STEP),
            height: HEIGHT,
            bars,
            highest,
            first: label(buckets.first()),
            last: label(buckets.last()),
            rows: rows(buckets, &kinds),
            kinds,
        }
    }
}

fn stack(x: u64, bucket: &Bucket, highest: u64) -> Vec<Bar> {
    let mut below = 0;
    let mut bars = Vec::new();
    for (kind, count) in bucket.parts() {
        let (low, high) = (share(below, highest), share(below + count, highest));
        below += count;
        if count > 0 {
            bars.push(Bar {
                kind,
                x,
                y: HEIGHT - high,
                width: BAR,
                height: high - low,
            });
        }
    }
    bars
}

fn share(count: u64, highest: u64) -> u64 {
    count.saturating_mul(HEIGHT) / highest.max(1)
}

/// Returns the total of each outcome that occurs.
fn totals(buckets: &[Bucket]) -> Vec<(&'static str, u64)> {
    let mut totals = Bucket::default().parts();
    for bucket in buckets {
        for (total, (_, count)) in totals.iter_mut().zip(bucket.parts()) {
            total.1 += count;
        }
    }
    totals.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn rows(buckets: Vec<Bucket>, kinds: &[&'static str]) -> Vec<Row> {
    let row = |bucket: Bucket| {
        let parts = bucket.parts().into_iter();
        let shown = parts.filter(|(kind, _)| kinds.contains(kind));
        Row {
            counts: shown.map(|(_, count)| count).collect(),
            label: bucket.label,
        }
    };
    buckets.into_iter().map(row).collect()
}

fn summary(buckets: &[Bucket], [one, many]: [&str; 2]) -> String {
    let totals = totals(buckets);
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let noun = match all {
        0 => return format!("No {many}."),
        1 => one,
        _ => many,
    };
    let parts = totals.iter().map(|(kind, count)| format!("{count} {kind}"));
    let parts: Vec<_> = parts.collect();
    format!("{all} {noun}: {}.", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOUN: [&str; 2] = ["delivery", "deliveries"];

    fn bucket(delivered: u64, failed: u64) -> Bucket {
        Bucket {
            delivered,
            failed,
            ..Bucket::default()
        }
    }

    #[test]
    fn scales_bars_to_the_highest() {
        let chart = Chart::new(
            NOUN,
            "Today",
            vec![bucket(1, 0), bucket(3, 1), bucket(0, 0)],
        );
        let bars: Vec<_> = chart
            .bars
            .iter()
            .map(|b| (b.kind, b.x, b.y, b.height))
            .collect();
        assert_eq!(
            bars,
            [
                ("delivered", 0, 750, 250),
                ("delivered", 10, 250, 750),
                ("failed", 10, 0, 250),
            ]
        );
        assert_eq!(chart.width, 30);
        assert!(chart.summary.starts_with("5 deliveries: 4 delivered"));
    }

    #[test]
    fn draws_no_bars_without_counts() {
        for buckets in [vec![], vec![Bucket::default()]] {
            let chart = Chart::new(NOUN, "Today", buckets);
            assert!(chart.bars.is_empty() && chart.width > 0);
        }
    }
}
