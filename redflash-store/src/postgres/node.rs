//! This node among the others: what it hears of them, and how they know that it lives.
//!
//! A connection of its own listens for what other nodes announce, looks at the directory's version
//! and the database's time more than once a second, and holds a lock in the name of each dispatcher. The locks
//! end with the session, so that others can tell a node that has died from one that is busy.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::QueryDsl;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::StreamExt;
use redflash_core::clock::{Clock, Timestamp};
use redflash_core::model::WorkerId;
use redflash_core::store::ClosedLane;
use redflash_core::{BoxError, error_chain};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, interval, sleep, timeout};
use tracing::warn;

use super::clock::DatabaseClock;
use super::connect::Connector;
use super::query::directory;
use crate::error::QueryError;
use crate::schema::deliveries;

/// The channel that nodes listen to.
const CHANNEL: &str = "redflash";
/// Announced when the directory has changed.
pub(super) const DIRECTORY: &str = "directory";
/// Announced when something was queued that another node may have room for.
pub(super) const QUEUE: &str = "queue";
/// The first part of the lock that each dispatcher holds; the second is a hash of its name.
const LIVES: i32 = 5_931_472;
/// Interval of polling the database without an announcement.
const LOOK: Duration = Duration::from_millis(750);
/// Maximum age of valid information from the database.
const FRESH: Duration = Duration::from_secs(1);
/// Time for which the lock of a dispatcher must be missing before it counts as dead: longer than a
/// dispatcher that has lost its connection needs to reconnect.
const MISSING: Duration = Duration::from_millis(900);

/// Minimum interval between announcements of queued deliveries.
const ANNOUNCED: Duration = Duration::from_millis(50);

/// This node.
#[derive(Debug)]
pub(super) struct Node {
    heard: Arc<Heard>,
    task: AbortHandle,
}

/// The state that this node has received.
#[derive(Debug)]
struct Heard {
    clock: Arc<DatabaseClock>,
    /// The directory's version, and when it was last known to be the newest.
    version: Mutex<(u64, Option<Instant>)>,
    news: Notify,
    /// The dispatchers of this node, each of which is to have its lock.
    dispatchers: watch::Sender<BTreeSet<WorkerId>>,
    /// Those whose locks are held.
    held: watch::Sender<BTreeSet<WorkerId>>,
    /// Dispatchers that hold leases and no lock, and since when that is so.
    missing: Mutex<HashMap<String, Instant>>,
    /// When something queued was last announced.
    announced: Mutex<Option<Instant>>,
    /// The closed lanes that each dispatcher last published to the other nodes.
    published: Mutex<HashMap<WorkerId, Vec<ClosedLane>>>,
}

/// A dispatcher of this node, which others take for dead once this is dropped.
#[derive(Debug)]
pub(super) struct Dispatching {
    node: Arc<Node>,
    worker: WorkerId,
}

impl Drop for Dispatching {
    fn drop(&mut self) {
        self.node.leave(self.worker);
    }
}

impl Node {
    pub(super) fn start(connector: Connector) -> Arc<Self> {
        let heard = Arc::new(Heard {
            clock: Arc::default(),
            version: Mutex::default(),
            news: Notify::new(),
            dispatchers: watch::Sender::default(),
            held: watch::Sender::default(),
            missing: Mutex::default(),
            announced: Mutex::default(),
            published: Mutex::default(),
        });
        let task = tokio::spawn(Arc::clone(&heard).listen(connector)).abort_handle();
        Arc::new(Self { heard, task })
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.heard.clock) as Arc<dyn Clock>
    }

    /// Waits until another node has announced something.
    pub(super) async fn wait_for_work(&self) {
        self.heard.news.notified().await;
    }

    /// The directory's version, unless it is long since it was heard of.
    pub(super) fn version(&self) -> Option<u64> {
        let (version, at) = *lock(&self.heard.version);
        at.filter(|at| at.elapsed() < FRESH).map(|_| version)
    }

    /// This node itself has changed the directory, or has asked for its version.
    pub(super) fn know(&self, version: u64) {
        let mut known = lock(&self.heard.version);
        known.0 = known.0.max(version);
    }

    /// Adds a dispatcher to this node until the result is dropped.
    pub(super) fn serve(self: &Arc<Self>, worker: WorkerId) -> Dispatching {
        self.add(worker);
        Dispatching {
            node: Arc::clone(self),
            worker,
        }
    }

    /// Holds a lock in a dispatcher's name from now on; waits until it does.
    pub(super) async fn join(&self, worker: WorkerId, within: Duration) -> Result<(), BoxError> {
        let mut held = self.heard.held.subscribe();
        self.add(worker);
        match timeout(within, held.wait_for(|held| held.contains(&worker))).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err("the database server did not answer in time".into()),
        }
    }

    fn add(&self, worker: WorkerId) {
        let add = |all: &mut BTreeSet<_>| all.insert(worker);
        self.heard.dispatchers.send_if_modified(add);
    }

    /// Lets go of a dispatcher's lock, so that others take over what it has left.
    fn leave(&self, worker: WorkerId) {
        let remove = |all: &mut BTreeSet<_>| all.remove(&worker);
        self.heard.dispatchers.send_if_modified(remove);
        lock(&self.heard.published).remove(&worker);
    }

    /// Returns true if queued deliveries should be announced: not for every alert of a busy node, since each
    /// announcement delays all commits.
    pub(super) fn may_announce(&self) -> bool {
        let mut announced = lock(&self.heard.announced);
        let now = Instant::now();
        let is_due = announced.is_none_or(|at| now.duration_since(at) >= ANNOUNCED);
        if is_due {
            *announced = Some(now);
        }
        is_due
    }

    /// Returns true if the others know something else from a dispatcher than this.
    pub(super) fn has_to_tell(&self, worker: WorkerId, closed: &[ClosedLane]) -> bool {
        let mut all = lock(&self.heard.published);
        let published = all.entry(worker).or_default();
        if *published == closed {
            return false;
        }
        *published = closed.to_vec();
        true
    }

    /// The dispatchers that are dead: they hold leases, and have held no lock for a while.
    pub(super) async fn dead(
        &self,
        conn: &mut AsyncPgConnection,
    ) -> Result<Vec<String>, QueryError> {
        let mine: Vec<_> = {
            let dispatchers = self.heard.dispatchers.borrow();
            dispatchers.iter().map(ToString::to_string).collect()
        };
        if mine.is_empty() {
            return Ok(Vec::new());
        }
        let alive = alive(conn).await?;
        let holders: Vec<(String, i32)> = deliveries::table
            .filter(sql::<Bool>("deliveries.state = 'sending'"))
            .select((
                sql::<Text>("deliveries.worker"),
                sql::<Integer>("hashtext(deliveries.worker)"),
            ))
            .distinct()
            .load(conn)
            .await?;
        let missing_now = holders
            .into_iter()
            .filter(|(worker, hash)| !mine.contains(worker) && !alive.contains(hash));
        let now = Instant::now();
        let mut missing = lock(&self.heard.missing);
        let since = |(worker, _)| {
            let since = missing.get(&worker).copied().unwrap_or(now);
            (worker, since)
        };
        let missing_now: HashMap<_, _> = missing_now.map(since).collect();
        *missing = missing_now;
        // One that has just lost its connection comes back, unless this node has lost its own.
        let dead = missing
            .iter()
            .filter(|(_, since)| now.duration_since(**since) >= MISSING);
        Ok(dead.map(|(worker, _)| worker.clone()).collect())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The hashes of the dispatchers that hold their lock.
pub(super) async fn alive(conn: &mut AsyncPgConnection) -> QueryResult<Vec<i32>> {
    #[derive(diesel::QueryableByName)]
    struct Held {
        #[diesel(sql_type = BigInt)]
        hash: i64,
    }
    let held: Vec<Held> = diesel::sql_query(
        "SELECT objid::bigint AS hash FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 2 AND classid::bigint = $1 AND granted
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .bind::<BigInt, _>(i64::from(LIVES))
    .load(conn)
    .await?;
    // Postgres keeps the number as if it had no sign.
    let signed = held
        .into_iter()
        .filter_map(|held| u32::try_from(held.hash).ok().map(u32::cast_signed));
    Ok(signed.collect())
}

/// Announces something to the nodes that listen, once the transaction around it is committed.
pub(super) async fn announce(conn: &mut AsyncPgConnection, what: &str) -> Result<(), QueryError> {
    diesel::sql_query("SELECT pg_notify($1, $2)")
        .bind::<Text, _>(CHANNEL)
        .bind::<Text, _>(what)
        .execute(conn)
        .await?;
    Ok(())
}

impl Heard {
    /// Listens forever, reconnecting after errors.
    async fn listen(self: Arc<Self>, connector: Connector) {
        let mut pause = Duration::from_millis(50);
        loop {
            let begun = Instant::now();
            let error = match connector.connect().await {
                Ok(conn) => self.session(conn).await.err(),
                Err(error) => Some(QueryError::from(
                    redflash_core::store::StoreError::Unavailable(error.into()),
                )),
            };
            self.held.send_replace(BTreeSet::new());
            // A node without a connection cannot find other nodes missing.
            lock(&self.missing).clear();
            if let Some(error) = error {
                warn!(
                    error = error_chain(&error),
                    "lost the LISTEN connection to Postgres"
                );
            }
            if begun.elapsed() > LOOK {
                pause = Duration::from_millis(50);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(400));
        }
    }

    async fn session(&self, mut conn: AsyncPgConnection) -> Result<(), QueryError> {
        diesel::sql_query(format!("LISTEN {CHANNEL}"))
            .execute(&mut conn)
            .await?;
        // Announcements made while this node was not listening.
        self.news.notify_one();
        let mut dispatchers = self.dispatchers.subscribe();
        dispatchers.mark_changed();
        let mut look = interval(LOOK);
        loop {
            let mut announced = None;
            {
                let mut announcements = std::pin::pin!(conn.notifications_stream());
                tokio::select! {
                    some = announcements.next() => match some {
                        Some(some) => announced = Some(some?.payload),
                        None => return Ok(()),
                    },
                    _ = dispatchers.changed() => {}
                    _ = look.tick() => {}
                }
            }
            let wanted = dispatchers.borrow_and_update().clone();
            bounded(self.hold(&mut conn, &wanted)).await?;
            if announced.as_deref() == Some(QUEUE) {
                self.news.notify_one();
                continue;
            }
            bounded(self.look(&mut conn)).await?;
        }
    }

    /// Takes the locks of new dispatchers, and releases those of dispatchers that have ended.
    async fn hold(
        &self,
        conn: &mut AsyncPgConnection,
        wanted: &BTreeSet<WorkerId>,
    ) -> Result<(), QueryError> {
        let held = self.held.borrow().clone();
        for &worker in wanted.difference(&held) {
            hold(conn, worker).await?;
            self.held.send_if_modified(|held| held.insert(worker));
        }
        for worker in held.difference(wanted) {
            let_go(conn, *worker).await?;
            self.held.send_if_modified(|held| held.remove(worker));
        }
        Ok(())
    }

    /// Looks at the directory's version and the database's time.
    async fn look(&self, conn: &mut AsyncPgConnection) -> Result<(), QueryError> {
        let asked = Instant::now();
        let millis: i64 = diesel::select(sql::<BigInt>(
            "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        ))
        .get_result(conn)
        .await?;
        self.clock
            .set(Timestamp::from_millis(millis), asked.elapsed());
        let asked = Instant::now();
        let version = directory::version(conn).await?;
        *lock(&self.version) = (version, Some(asked));
        Ok(())
    }
}

/// Takes the lock of a dispatcher, which a session of the same one that has not ended yet may hold.
async fn hold(conn: &mut AsyncPgConnection, worker: WorkerId) -> Result<(), QueryError> {
    diesel::sql_query("SELECT pg_advisory_lock($1, hashtext($2))")
        .bind::<Integer, _>(LIVES)
        .bind::<Text, _>(worker.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

async fn let_go(conn: &mut AsyncPgConnection, worker: WorkerId) -> Result<(), QueryError> {
    diesel::sql_query("SELECT pg_advisory_unlock($1, hashtext($2))")
        .bind::<Integer, _>(LIVES)
        .bind::<Text, _>(worker.to_string())
        .execute(conn)
        .await?;
    Ok(())
}

/// A server that falls silent is as bad as none.
async fn bounded<T>(work: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
    const SILENCE: Duration = Duration::from_secs(5);
    timeout(SILENCE, work).await.unwrap_or_else(|_| {
        let silent = redflash_core::store::StoreError::Unavailable("it fell silent".into());
        Err(silent.into())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
