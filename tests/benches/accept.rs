//! Durable accepts, alone and while everything accepted is delivered.

use std::time::Duration;

use crate::child::Process;
use crate::load::{self, Found, counted, raise};
use crate::served::{Served, block_on};

const LENGTH: Duration = Duration::from_secs(5);

async fn noop() -> Found {
    let noop = Process::start("noop", &[]);
    load::run(noop.address, raise("/contact/ann", "k"), LENGTH).await
}

/// Accepts alone: nothing is sent meanwhile.
pub(crate) fn run() {
    block_on(async {
        // One message in a thousand seconds: all the others wait.
        let served = Served::start("per_second = 0.001", "http://127.0.0.1:9/ann").await;
        let idle = served.resident();
        let request = raise("/contact/ann", &served.key);
        let ours = load::run(served.server.address(), request.clone(), LENGTH).await;
        let noop = noop().await;
        println!(
            "accept alone      {:>7.0}/s, p99 {:>5.1} ms; no-op endpoint {:>7.0}/s; ratio {:.2} (aim 0.50)",
            ours.rate,
            ours.p99.as_secs_f64() * 1e3,
            noop.rate,
            ours.rate / noop.rate
        );
        let mut queued = ours.rate * LENGTH.as_secs_f64();
        while queued < 100_000.0 {
            let more = load::run(served.server.address(), request.clone(), LENGTH).await;
            queued += more.rate * LENGTH.as_secs_f64();
        }
        println!(
            "memory            {idle:>7.1} MB idle (aim 30); {:.1} MB with {queued:.0} queued",
            served.resident()
        );
    });
}

/// Accepts while everything accepted goes out to a webhook.
pub(crate) fn run_with_delivery() {
    block_on(async {
        let sink = Process::start("sink", &[]);
        let hook = format!("http://{}/ann", sink.address);
        let served = Served::start("", &hook).await;
        let request = raise("/contact/ann", &served.key);
        let ours = load::run(served.server.address(), request, LENGTH).await;
        let ours_sent = counted(sink.address).await as f64 / LENGTH.as_secs_f64();
        drop(served);

        let sink = Process::start("sink", &[]);
        let relay = Process::start("relay", &[&sink.address.to_string()]);
        let bare = load::run(relay.address, raise("/contact/ann", "k"), LENGTH).await;
        let bare_sent = counted(sink.address).await as f64 / LENGTH.as_secs_f64();
        drop(relay);

        let sink = Process::start("sink", &[]);
        let logged = Process::start("logged", &[&sink.address.to_string()]);
        let log = load::run(logged.address, raise("/contact/ann", "k"), LENGTH).await;
        let log_sent = counted(sink.address).await as f64 / LENGTH.as_secs_f64();
        drop(logged);

        let noop = noop().await;
        println!(
            "accept and send   {:>7.0}/s accepted, {ours_sent:.0}/s sent, p99 {:.1} ms (aim 25)",
            ours.rate,
            ours.p99.as_secs_f64() * 1e3
        );
        println!(
            "  bare relay      {:>7.0}/s accepted, {bare_sent:.0}/s sent, p99 {:.1} ms",
            bare.rate,
            bare.p99.as_secs_f64() * 1e3
        );
        println!(
            "  ratio to relay  {:.2} accepted, {:.2} sent (aim 0.70); relay to no-op {:.2}, ours to no-op {:.2}",
            ours.rate / bare.rate,
            ours_sent / bare_sent,
            bare.rate / noop.rate,
            ours.rate / noop.rate
        );
        println!(
            "  relay with RedFlash's log {:>7.0}/s accepted, {log_sent:.0}/s sent; of the bare one {:.2}, {:.2}; ours to it {:.2}, {:.2}",
            log.rate,
            log.rate / bare.rate,
            log_sent / bare_sent,
            ours.rate / log.rate,
            ours_sent / log_sent
        );
    });
}
