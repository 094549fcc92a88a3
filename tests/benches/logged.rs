//! A relay that keeps RedFlash's log and does nothing else: parse the form, record a notification with
//! its delivery in RedFlash's own store, answer, post it, record the outcome. It decides nothing, knows
//! no keys and no switches: what it costs, the promises cost.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Form, Router};
use redflash_core::clock::{Clock as _, SystemClock};
use redflash_core::conformance::store::{alert_of, sent_of};
use redflash_core::delivery::{DeliveryState, Lease, LeaseToken, Settlement};
use redflash_core::model::WorkerId;
use redflash_core::store::{Enqueue, Outbox as _};
use redflash_store::{Access, SqliteStore};
use tokio::sync::{Semaphore, mpsc};

/// As many hand-overs at once as RedFlash allows to one host.
const IN_FLIGHT: usize = 32;
/// As many outcomes at once as RedFlash records.
const BATCH: NonZeroU32 = NonZeroU32::new(256).expect("it is more than nothing");

struct Relay {
    store: Arc<SqliteStore>,
    worker: WorkerId,
    outcomes: mpsc::UnboundedSender<Settlement>,
    client: reqwest::Client,
    sink: String,
    slots: Arc<Semaphore>,
}

pub(crate) fn serve(sink: &str) -> ! {
    let (runtime, listener) = crate::child::listen();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.db");
    let store = Arc::new(SqliteStore::open(path, Access::Server).unwrap());
    let worker = WorkerId::new(SystemClock.now());
    let (outcomes, waiting) = mpsc::unbounded_channel();
    runtime.spawn(record(Arc::clone(&store), worker, waiting));
    let relay = Relay {
        store,
        worker,
        outcomes,
        client: redflash_tests::http_client(),
        sink: format!("http://{sink}/ann"),
        slots: Arc::new(Semaphore::new(IN_FLIGHT)),
    };
    let app = Router::new()
        .route("/contact/{slug}", post(take))
        .with_state(Arc::new(relay));
    runtime.block_on(async { axum::serve(listener, app).await.unwrap() });
    unreachable!("it serves until it is killed")
}

async fn take(
    State(relay): State<Arc<Relay>>,
    Form(mut fields): Form<HashMap<String, String>>,
) -> StatusCode {
    let now = SystemClock.now();
    let (mut notification, mut deliveries) = alert_of(1, "webhook:sink", now);
    notification.plan.message.body = fields.remove("message").unwrap();
    deliveries[0].state = DeliveryState::Sending;
    let lease = Lease {
        worker: relay.worker,
        token: LeaseToken::random(),
        now,
        until: now.plus(std::time::Duration::from_secs(120)),
    };
    let order = Enqueue {
        notification: &notification,
        deliveries: &deliveries,
        lease: Some(&lease),
        unqueued: 0,
        idempotency: None,
        planned_at: None,
    };
    relay.store.enqueue(&order).await.unwrap();
    tokio::spawn(async move {
        let slot = Arc::clone(&relay.slots).acquire_owned().await.unwrap();
        let id = notification.id.to_string();
        let form = [
            ("notification_id", &id),
            ("message", &notification.plan.message.body),
        ];
        let sent = relay.client.post(&relay.sink).form(&form).send().await;
        assert_eq!(sent.unwrap().status(), 201);
        drop(slot);
        let outcome = sent_of(&deliveries[0], lease.token, SystemClock.now());
        relay.outcomes.send(outcome).ok().unwrap();
    });
    StatusCode::CREATED
}

async fn record(
    store: Arc<SqliteStore>,
    worker: WorkerId,
    mut waiting: mpsc::UnboundedReceiver<Settlement>,
) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH.get() as usize).await > 0 {
        store.settle(worker, &batch).await.unwrap();
        batch.clear();
    }
}
