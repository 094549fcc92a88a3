//! A bare durable relay: parse the form, insert one row, answer, post it, update the row. It shares
//! commits as RedFlash does, and knows nothing of keys, plans, lanes, leases, attempts or retries.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Form, Router};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// As many hand-overs at once as RedFlash allows to one host.
const IN_FLIGHT: usize = 32;

enum Write {
    Insert(i64, String, oneshot::Sender<()>),
    Done(i64),
}

struct Relay {
    writes: mpsc::UnboundedSender<Write>,
    client: reqwest::Client,
    sink: String,
    slots: Arc<Semaphore>,
    next: AtomicI64,
}

pub(crate) fn serve(sink: &str) -> ! {
    let (runtime, listener) = crate::child::listen();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.db");
    let (writes, waiting) = mpsc::unbounded_channel();
    std::thread::spawn(move || write(&path, waiting));
    let relay = Relay {
        writes,
        client: redflash_tests::http_client(),
        sink: format!("http://{sink}/ann"),
        slots: Arc::new(Semaphore::new(IN_FLIGHT)),
        next: AtomicI64::new(0),
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
    let id = relay.next.fetch_add(1, Ordering::Relaxed);
    let message = fields.remove("message").unwrap();
    let (done, committed) = oneshot::channel();
    let insert = Write::Insert(id, message.clone(), done);
    relay.writes.send(insert).ok().unwrap();
    committed.await.unwrap();
    tokio::spawn(hand_over(relay, id, message));
    StatusCode::CREATED
}

async fn hand_over(relay: Arc<Relay>, id: i64, message: String) {
    let slot = Arc::clone(&relay.slots).acquire_owned().await.unwrap();
    let form = [("notification_id", id.to_string()), ("message", message)];
    let sent = relay.client.post(&relay.sink).form(&form).send().await;
    assert_eq!(sent.unwrap().status(), 201);
    drop(slot);
    relay.writes.send(Write::Done(id)).ok().unwrap();
}

fn write(path: &std::path::Path, mut waiting: mpsc::UnboundedReceiver<Write>) {
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE alerts (id INTEGER PRIMARY KEY, message TEXT NOT NULL, state TEXT NOT NULL);",
    )
    .unwrap();
    let mut batch = Vec::new();
    while waiting.blocking_recv_many(&mut batch, 512) > 0 {
        let mut answers = Vec::new();
        conn.immediate_transaction(|conn| {
            for write in batch.drain(..) {
                match write {
                    Write::Insert(id, message, answer) => {
                        diesel::sql_query("INSERT INTO alerts VALUES (?, ?, 'queued')")
                            .bind::<BigInt, _>(id)
                            .bind::<Text, _>(message)
                            .execute(conn)?;
                        answers.push(answer);
                    }
                    Write::Done(id) => {
                        diesel::sql_query("UPDATE alerts SET state = 'done' WHERE id = ?")
                            .bind::<BigInt, _>(id)
                            .execute(conn)?;
                    }
                }
            }
            QueryResult::Ok(())
        })
        .unwrap();
        for answer in answers {
            answer.send(()).unwrap();
        }
    }
}
