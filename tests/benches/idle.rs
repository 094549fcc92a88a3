//! From an accept to the receiver, when nothing else is going on; beside the same hop without us.

use std::time::{Duration, Instant};

use redflash_tests::WebhookSink;

use crate::load::{Connection, post, raise};
use crate::served::{Served, block_on};

const ALERTS: usize = 300;

pub(crate) fn run() {
    block_on(async {
        let sink = WebhookSink::start().await;
        let served = Served::start("", &sink.url("/ann")).await;
        let mut connection = Connection::open(served.server.address()).await;
        let request = raise("/contact/ann", &served.key);
        let mut times = Vec::new();
        for number in 1..=ALERTS {
            let sent = Instant::now();
            let (status, _) = connection.exchange(&request).await;
            assert_eq!(status, 201);
            let arrived = sink.expect(number).await.pop().unwrap().at;
            times.push(arrived.duration_since(sent));
        }
        let mut direct = Vec::new();
        let mut connection = Connection::open(sink.address()).await;
        let request = post("/ann", "notification_id=x&message=hi");
        for number in ALERTS + 1..=2 * ALERTS {
            let sent = Instant::now();
            connection.exchange(&request).await;
            let arrived = sink.expect(number).await.pop().unwrap().at;
            direct.push(arrived.duration_since(sent));
        }
        println!(
            "raise to receiver {:.2} ms p50 (aim 5), {:.2} ms p99; the same request straight to the receiver {:.2} ms p50",
            percentile(&mut times, 50),
            percentile(&mut times, 99),
            percentile(&mut direct, 50)
        );
    });
}

/// In milliseconds.
fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3
}
