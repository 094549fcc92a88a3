//! Postgres beside SQLite, and both beside their limits.

use std::process::Command;
use std::time::{Duration, Instant};

use redflash_tests::Postgres;

use crate::child::Process;
use crate::fan_out;
use crate::load::{self, counted, raise};
use crate::served::{Served, block_on};

const LENGTH: Duration = Duration::from_secs(5);

/// Accepts and sends, beside the rate at which the same server commits single rows and batches.
pub(crate) fn run() {
    block_on(async {
        let postgres = Postgres::start().await;
        let url = postgres.database().await;
        let table = "CREATE TABLE alerts (id BIGSERIAL PRIMARY KEY, message TEXT NOT NULL)";
        postgres.sql(&url, table).await;
        let single = "INSERT INTO alerts (message) VALUES (repeat('x', 600));";
        let batch =
            "INSERT INTO alerts (message) SELECT repeat('x', 600) FROM generate_series(1, 64);";
        let single = committed(&postgres, &url, 64, single);
        let batched = committed(&postgres, &url, 2, batch) * 64.0;

        let (alone, _) = rates(
            Served::on(&postgres, "per_second = 0.001", None).await,
            None,
        )
        .await;
        let sink = Process::start("sink", &[]);
        let hook = format!("http://{}/ann", sink.address);
        let served = Served::on(&postgres, "", Some(&hook)).await;
        let (accepted, sent) = rates(served, Some(&sink)).await;
        println!(
            "postgres accept   {:>7.0}/s alone, p99 {:.1} ms; the server commits {single:.0}/s rows one by one and {batched:.0}/s in batches: ratio {:.2} and {:.2}",
            alone.rate,
            alone.p99.as_secs_f64() * 1e3,
            alone.rate / single,
            alone.rate / batched
        );
        println!(
            "postgres send     {:>7.0}/s accepted, {sent:.0}/s sent, p99 {:.1} ms",
            accepted.rate,
            accepted.p99.as_secs_f64() * 1e3
        );
        let sink = Process::start("sink", &[]);
        let served = Served::start("", &format!("http://{}/ann", sink.address)).await;
        let (sqlite, sqlite_sent) = rates(served, Some(&sink)).await;
        println!(
            "sqlite send       {:>7.0}/s accepted, {sqlite_sent:.0}/s sent, p99 {:.1} ms; postgres to sqlite {:.2} accepted, {:.2} sent",
            sqlite.rate,
            sqlite.p99.as_secs_f64() * 1e3,
            accepted.rate / sqlite.rate,
            sent / sqlite_sent
        );
    });
}

async fn rates(served: Served, sink: Option<&Process>) -> (load::Found, f64) {
    let request = raise("/contact/ann", &served.key);
    let found = load::run(served.server.address(), request, LENGTH).await;
    let sent = match sink {
        Some(sink) => counted(sink.address).await as f64 / LENGTH.as_secs_f64(),
        None => 0.0,
    };
    (found, sent)
}

/// Returns the number of transactions of this script that the server commits in a second.
fn committed(postgres: &Postgres, url: &str, clients: usize, script: &str) -> f64 {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let output = Command::new(postgres.program("pgbench"))
        .args(["-n", "-j", "2", "-T", "5", "-c", &clients.to_string(), "-f"])
        .arg(file.path())
        .arg(url)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("tps = "));
    let line = line.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    line.split(' ').nth(2).unwrap().parse().unwrap()
}

/// One alert to ten thousand recipients, on both stores.
pub(crate) fn fan_out() {
    const RECIPIENTS: usize = 10_000;
    block_on(async {
        let postgres = Postgres::start().await;
        let sink = Process::start("sink", &[]);
        let hook = format!("http://{}/ann", sink.address);
        let there = Served::on(&postgres, "", Some(&hook)).await;
        let there = fan_out::measure(&there, sink.address, RECIPIENTS).await;
        let here = Served::start("", &hook).await;
        let here = fan_out::measure(&here, sink.address, RECIPIENTS).await;
        println!(
            "postgres fan-out  {:.0} ms to {RECIPIENTS}; sqlite {:.0} ms; ratio {:.2}",
            there.as_secs_f64() * 1e3,
            here.as_secs_f64() * 1e3,
            there.as_secs_f64() / here.as_secs_f64()
        );
    });
}

/// Claims with a million finished deliveries in the log, and a transaction beside them that keeps
/// everything from being vacuumed.
pub(crate) fn claim() {
    use redflash_store::{PostgresConfig, PostgresStore};

    block_on(async {
        let postgres = Postgres::start().await;
        let url = postgres.database().await;
        let store = PostgresStore::open(&PostgresConfig::new(&*url))
            .await
            .unwrap();
        let empty = claims(&store).await;
        postgres.sql(&url, MULTIPLY).await;
        let mut psql = Command::new(postgres.program("psql"))
            .args([&*url, "-c"])
            .arg("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM directory; SELECT pg_sleep(600)")
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let full = claims(&store).await;
        psql.kill().unwrap();
        psql.wait().unwrap();
        println!(
            "postgres claim    {:.1} ms p50, {:.1} ms p99 with 1,000,000 finished and a long transaction; {:.1} and {:.1} ms with none; ratio of p99 {:.2}",
            full.0,
            full.1,
            empty.0,
            empty.1,
            full.1 / empty.1
        );
    });
}

/// Copies one finished delivery with its notification and attempt a million times.
const MULTIPLY: &str = "
INSERT INTO notifications SELECT lpad(to_hex(n), 26, '0') || '000000', o.raised_at, o.raised_by, o.plan
FROM generate_series(1, 1000000) AS n, (SELECT * FROM notifications LIMIT 1) AS o;
INSERT INTO deliveries SELECT lpad(to_hex(n), 26, '0') || '000001', lpad(to_hex(n), 26, '0') || '000000',
    o.contact, o.endpoint, o.channel, o.address, o.via, o.lane, o.raised_by, o.state, o.attempts, o.due_at,
    o.first_attempt_at, o.gateway, o.message_id, o.parts, o.price, o.detail, o.may_repeat, o.worker,
    o.leased_until, o.claims
FROM generate_series(1, 1000000) AS n, (SELECT * FROM deliveries WHERE state = 'sent' LIMIT 1) AS o;
ANALYZE;";

/// The median and the 99th percentile of a claim of 16 among 64 that wait, in milliseconds.
async fn claims(store: &redflash_store::PostgresStore) -> (f64, f64) {
    use redflash_core::clock::{Clock, SystemClock};
    use redflash_core::conformance::store::{alert_of, sent_of};
    use redflash_core::delivery::{Lane, Lease, LeaseToken};
    use redflash_core::model::WorkerId;
    use redflash_core::store::{ClaimRequest, Outbox, Queue};

    let worker = WorkerId::new(SystemClock.now());
    let mut times = Vec::new();
    for _ in 0..300 {
        let now = SystemClock.now();
        let (notification, deliveries) = alert_of(64, "sms", now);
        let order = redflash_core::store::Enqueue {
            notification: &notification,
            deliveries: &deliveries,
            lease: None,
            unqueued: 0,
            idempotency: None,
            planned_at: None,
        };
        store.enqueue(&order).await.unwrap();
        let lease = Lease {
            worker,
            token: LeaseToken::random(),
            now,
            until: now.plus(Duration::from_secs(60)),
        };
        let want = ClaimRequest {
            queue: Queue {
                lane: Lane::stored("sms".into()),
                raised_by: None,
            },
            limit: 16.try_into().unwrap(),
        };
        for _ in 0..4 {
            let begun = Instant::now();
            let jobs = store
                .claim_due(&lease, std::slice::from_ref(&want))
                .await
                .unwrap();
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            assert_eq!(jobs.len(), 16);
            let settlements: Vec<_> = jobs
                .iter()
                .map(|job| sent_of(&job.delivery, job.token, now))
                .collect();
            store.settle(worker, &settlements).await.unwrap();
        }
    }
    times.sort_unstable_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
