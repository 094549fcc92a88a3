//! One alert to a thousand webhook recipients, beside a bare client that sends as many requests.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::child::Process;
use crate::load::{Connection, counted, raise};
use crate::served::{Served, block_on};

const RECIPIENTS: usize = 1000;

pub(crate) fn run() {
    block_on(async {
        let sink = Process::start("sink", &[]);
        let served = Served::start("", &format!("http://{}/ann", sink.address)).await;
        let ours = measure(&served, sink.address, RECIPIENTS).await;
        let bare = bare(sink.address).await;
        println!(
            "fan-out           {:.0} ms to {RECIPIENTS}; a bare client {:.0} ms; ratio {:.2} (aim 1.5 at most)",
            ours.as_secs_f64() * 1e3,
            bare.as_secs_f64() * 1e3,
            ours.as_secs_f64() / bare.as_secs_f64()
        );
    });
}

/// The shortest of three times from a raise to the arrival of the last webhook.
pub(crate) async fn measure(served: &Served, sink: SocketAddr, recipients: usize) -> Duration {
    populate(served, sink, recipients).await;
    let request = raise("/group/all", &served.key);
    let mut connection = Connection::open(served.server.address()).await;
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let before = counted(sink).await;
        let begun = Instant::now();
        let (status, _) = connection.exchange(&request).await;
        assert_eq!(status, 201);
        while counted(sink).await < before + recipients as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        shortest = shortest.min(begun.elapsed());
    }
    shortest
}

async fn populate(served: &Served, sink: SocketAddr, recipients: usize) {
    let slug = |number: usize| format!("c{number}");
    let contacts: Vec<_> = (0..recipients)
        .map(|number| {
            let address = format!("http://{sink}/{number}");
            let endpoint = json!({ "channel": "webhook", "address": address });
            json!({ "slug": slug(number), "name": slug(number), "endpoints": [endpoint] })
        })
        .collect();
    let members: Vec<_> = (0..recipients).map(slug).collect();
    let group = json!({ "slug": "all", "name": "All", "enabled": true, "contacts": members });
    let document = json!({ "version": 1, "contacts": contacts, "groups": [group] });
    let import = served.site.cli(["import", "-"]).input(document.to_string());
    import.run().await.succeeded();
}

/// The same requests by as many connections as the server uses to one host.
async fn bare(sink: SocketAddr) -> Duration {
    const CONNECTIONS: usize = 32;
    let body = "notification_id=01a20e4eff7774c99567ec5929afeef9&message=The+disk+of+db1+is+full";
    let client = redflash_tests::http_client();
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..CONNECTIONS {
            let client = client.clone();
            senders.spawn(async move {
                for number in (sender..RECIPIENTS).step_by(CONNECTIONS) {
                    let url = format!("http://{sink}/{number}");
                    let sent = client.post(url).body(body).send().await;
                    assert_eq!(sent.unwrap().status(), 201);
                }
            });
        }
        senders.join_all().await;
        best = best.min(begun.elapsed());
    }
    best
}
