//! Recording alerts: those that come while others are being recorded share the next statement.

use std::sync::Arc;

use diesel_async::{AsyncConnection, RunQueryDsl};
use redflash_core::store::{Enqueued, StoreError};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use super::query::fan_out;
use super::query::outbox::known;
use super::statement::Insert;
use super::{Conn, Connections, wrote};
use crate::error::QueryError;
use crate::row::notification::{IdempotencyRow, NewRows};
use crate::schema::idempotency;

/// The most alerts in one statement.
const BATCH: usize = 128;
/// Maximum number of concurrent statements.
const LANES: usize = 2;
/// Maximum number of waiting alerts; further callers wait.
const WAITING: usize = 4096;

struct Waiting {
    rows: NewRows,
    answer: oneshot::Sender<Result<Enqueued, StoreError>>,
}

/// Records alerts. Its tasks end when it is dropped.
#[derive(Debug)]
pub(super) struct Enqueuer {
    connections: Connections,
    alerts: mpsc::Sender<Waiting>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiting")
    }
}

impl Enqueuer {
    pub(super) fn start(connections: &Connections) -> Self {
        let (alerts, waiting) = mpsc::channel(WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..LANES {
            tokio::spawn(work(connections.clone(), Arc::clone(&waiting)));
        }
        Self {
            connections: connections.clone(),
            alerts,
        }
    }

    pub(super) async fn enqueue(&self, rows: NewRows) -> Result<Enqueued, StoreError> {
        if rows.idempotency.is_some() || rows.unqueued > 0 {
            let mut conn = self.connections.get().await?;
            let work = alone(&mut conn, &rows);
            let recorded = timeout(self.connections.timeout, work).await;
            return wrote(conn, recorded);
        }
        let stopped = || StoreError::Unavailable("the store was closed".into());
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { rows, answer };
        self.alerts.send(waiting).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn work(connections: Connections, waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut batch = Vec::new();
        if waiting.lock().await.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        record(&connections, batch).await;
    }
}

async fn record(connections: &Connections, batch: Vec<Waiting>) {
    let mut statement = Insert::default();
    for waiting in &batch {
        statement.push(&waiting.rows);
    }
    match run(connections, statement).await {
        Ok(recorded) => {
            for Waiting { rows, answer } in batch {
                let is_recorded = recorded.contains(&rows.notification.id);
                // Whoever asked may have given up waiting.
                let _ = answer.send(Ok(became(is_recorded)));
            }
        }
        // One of them may be what fails: each for itself.
        Err(StoreError::Backend(_)) if batch.len() > 1 => {
            for Waiting { rows, answer } in batch {
                let mut statement = Insert::default();
                statement.push(&rows);
                let alone = run(connections, statement).await;
                let _ = answer.send(alone.map(|recorded| became(!recorded.is_empty())));
            }
        }
        Err(error) => {
            let reason = redflash_core::error_chain(&error);
            let is_unknown = matches!(error, StoreError::Unknown(_));
            for waiting in batch {
                let reason = reason.clone().into();
                let error = if is_unknown {
                    StoreError::Unknown(reason)
                } else {
                    StoreError::Unavailable(reason)
                };
                let _ = waiting.answer.send(Err(error));
            }
        }
    }
}

const fn became(is_recorded: bool) -> Enqueued {
    if is_recorded {
        Enqueued::New
    } else {
        Enqueued::Outdated
    }
}

async fn run(connections: &Connections, statement: Insert) -> Result<Vec<String>, StoreError> {
    let mut conn = connections.get().await?;
    let work = async {
        let recorded: Vec<String> = statement.load(&mut conn).await?;
        Ok(recorded)
    };
    let outcome = timeout(connections.timeout, work).await;
    wrote(conn, outcome)
}

/// Records an alert in a transaction of its own: one under a promise, of which the first to be recorded
/// wins and the others wait for it, or the first piece of a large one.
async fn alone(conn: &mut Conn, rows: &NewRows) -> Result<Enqueued, QueryError> {
    let recorded = conn
        .transaction(async |conn| {
            if let Some(promise) = &rows.idempotency
                && !reserve(conn, promise).await?
            {
                return known(conn, promise)
                    .await?
                    .ok_or_else(|| QueryError::Store(raced()));
            }
            let mut statement = Insert::default();
            statement.push(rows);
            let recorded: Vec<String> = statement.load(conn).await?;
            if recorded.is_empty() {
                return Err(QueryError::Outdated);
            }
            fan_out::begin(conn, &rows.notification.id, rows.unqueued).await?;
            Ok(Enqueued::New)
        })
        .await;
    match recorded {
        Err(QueryError::Outdated) => Ok(Enqueued::Outdated),
        recorded => recorded,
    }
}

fn raced() -> StoreError {
    StoreError::Unavailable("two requests under one key crossed".into())
}

/// Puts a promise into its place, unless one that is still remembered has it.
async fn reserve(conn: &mut Conn, promise: &IdempotencyRow) -> Result<bool, QueryError> {
    use diesel::prelude::ExpressionMethods;
    use diesel::query_dsl::methods::FilterDsl;

    let now = redflash_core::clock::Timestamp::from_millis(promise.raised_at);
    let forgotten = now
        .minus(redflash_core::message::Idempotency::RETENTION)
        .as_millis();
    let reserved = diesel::insert_into(idempotency::table)
        .values(promise)
        .on_conflict((idempotency::raised_by, idempotency::key))
        .do_update()
        .set(promise)
        .filter(idempotency::raised_at.le(forgotten))
        .execute(conn)
        .await?;
    Ok(reserved > 0)
}
