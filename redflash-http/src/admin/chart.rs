//! What became of deliveries over time, as bars: `{{> part/chart page.chart}}`.
//!
//! The bars are SVG made here, and the same numbers stand below them in a table.

use serde::Serialize;

/// How wide a bar is, with the gap behind it, in the units of the drawing.
const STEP: u64 = 10;
const BAR: u64 = 8;
/// How high the highest bar is.
const HEIGHT: u64 = 1000;

/// The deliveries of one span of time, by what became of them.
#[derive(Clone, Default, Serialize)]
pub(crate) struct Bucket {
    /// The span, as `04:00`.
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
    /// What there is to see, for those who cannot.
    summary: String,
    width: u64,
    height: u64,
    bars: Vec<Bar>,
    highest: u64,
    first: String,
    last: String,
    buckets: Vec<Bucket>,
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
    /// The parts of a bar from the ground up.
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
    pub(crate) fn new(title: impl Into<String>, buckets: Vec<Bucket>) -> Self {
        let highest = buckets.iter().map(Bucket::total).max().unwrap_or(0);
        let bars = (0..).zip(&buckets);
        let bars = bars.flat_map(|(place, bucket)| stack(place * STEP, bucket, highest));
        let bars = bars.collect();
        let width = (0..).zip(&buckets).map(|(place, _)| (place + 1) * STEP);
        let label = |bucket: Option<&Bucket>| bucket.map_or_else(String::new, |b| b.label.clone());
        Self {
            title: title.into(),
            summary: summary(&buckets),
            width: width.last().unwrap_or(STEP),
            height: HEIGHT,
            bars,
            highest,
            first: label(buckets.first()),
            last: label(buckets.last()),
            buckets,
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

fn summary(buckets: &[Bucket]) -> String {
    let sum = |part: fn(&Bucket) -> u64| buckets.iter().map(part).sum::<u64>();
    format!(
        "{} deliveries: {} delivered, {} sent, {} waiting, {} stopped, {} failed.",
        sum(Bucket::total),
        sum(|bucket| bucket.delivered),
        sum(|bucket| bucket.sent),
        sum(|bucket| bucket.waiting),
        sum(|bucket| bucket.stopped),
        sum(|bucket| bucket.failed),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(delivered: u64, failed: u64) -> Bucket {
        Bucket {
            delivered,
            failed,
            ..Bucket::default()
        }
    }

    #[test]
    fn the_highest_bar_fills_the_chart_and_its_parts_touch() {
        let chart = Chart::new("Today", vec![bucket(1, 0), bucket(3, 1), bucket(0, 0)]);
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
    fn a_chart_of_nothing_has_no_bars() {
        for buckets in [vec![], vec![Bucket::default()]] {
            let chart = Chart::new("Today", buckets);
            assert!(chart.bars.is_empty() && chart.width > 0);
        }
    }
}
