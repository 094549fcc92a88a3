//! Automatic deletion of old entries of the log and the audit log, and of expired sessions.

use std::num::NonZeroU32;
use std::time::Duration;

use redflash_core::store::StoreError;
use redflash_core::{Engine, error_chain};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Config;

/// Interval of cleanups.
const INTERVAL: Duration = Duration::from_secs(600);

/// Maximum entries deleted in one transaction, so that other writers do not wait long.
const BATCH: NonZeroU32 = NonZeroU32::new(500).expect("it is not zero");

/// Retention times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cleanup {
    keep_log: Option<Duration>,
    keep_audit: Option<Duration>,
    session_idle: Duration,
    session_length: Duration,
}

impl Cleanup {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            keep_log: config.delivery.keep_log,
            keep_audit: config.admin.keep_audit,
            session_idle: config.admin.session_idle,
            session_length: config.admin.session_length,
        }
    }

    /// Cleans up periodically with the current configuration until it is stopped.
    pub(crate) async fn run(
        configured: watch::Receiver<Self>,
        engine: Engine,
        stop: CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(INTERVAL);
        let work = async {
            loop {
                ticks.tick().await;
                let cleanup = *configured.borrow();
                cleanup.log(&engine).await;
                cleanup.audit(&engine).await;
                cleanup.sessions(&engine).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Deletes old notifications.
    async fn log(&self, engine: &Engine) {
        let Some(age) = self.keep_log else { return };
        match prune_log(engine, age).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "deleted old notifications from the log"),
            Err(error) => warn!(error = error_chain(&error), "cannot prune the log"),
        }
    }

    /// Deletes old entries of the audit log.
    async fn audit(&self, engine: &Engine) {
        let Some(age) = self.keep_audit else { return };
        match prune_audit(engine, age).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "deleted old entries from the audit log"),
            Err(error) => warn!(error = error_chain(&error), "cannot prune the audit log"),
        }
    }

    /// Deletes expired sessions.
    async fn sessions(&self, engine: &Engine) {
        let now = engine.now();
        let (started, seen) = (now.minus(self.session_length), now.minus(self.session_idle));
        match engine.store().prune_sessions(started, seen).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "deleted expired sessions"),
            Err(error) => warn!(
                error = error_chain(&error),
                "cannot delete expired sessions"
            ),
        }
    }
}

/// Deletes finished notifications older than `age`, in batches. Returns their number.
pub(crate) async fn prune_log(engine: &Engine, age: Duration) -> Result<u64, StoreError> {
    let before = engine.now().minus(age);
    let mut removed = 0;
    loop {
        let some = engine.store().prune(before, BATCH).await?;
        removed += some;
        if some < u64::from(BATCH.get()) {
            return Ok(removed);
        }
    }
}

/// Deletes entries of the audit log older than `age`, in batches. Returns their number.
pub(crate) async fn prune_audit(engine: &Engine, age: Duration) -> Result<u64, StoreError> {
    let before = engine.now().minus(age);
    let mut removed = 0;
    loop {
        let some = engine.store().prune_audit(before, BATCH).await?;
        removed += some;
        if some < u64::from(BATCH.get()) {
            return Ok(removed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use redflash_core::clock::{ManualClock, Timestamp};
    use redflash_core::model::{Action, Actor, AuditEntry, KeyHash, Role, Session, User};
    use redflash_core::store::{Audit, AuditFilter, Directory, MemoryStore, Save, Sessions};

    use super::*;

    #[tokio::test]
    async fn prunes_the_audit_log_by_its_own_age() {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let engine = Engine::builder(Arc::clone(&store)).clock(Arc::clone(&clock));
        let engine = engine.build().unwrap();
        let note = async || {
            let by = Actor::User("ann".into());
            let change = AuditEntry::new(engine.now(), by, Action::Changed, "contact/bob", "");
            store.record_audit(&[change]).await.unwrap();
        };
        let count = async || {
            let all = AuditFilter {
                subject: None,
                by: None,
                before: None,
                limit: NonZeroU32::MAX,
            };
            store.audit_entries(&all).await.unwrap().len()
        };
        let mut cleanup = Cleanup {
            keep_log: Some(Duration::ZERO),
            keep_audit: None,
            session_idle: Duration::MAX,
            session_length: Duration::MAX,
        };
        note().await;
        clock.advance(Duration::from_secs(100));
        note().await;
        cleanup.audit(&engine).await;
        cleanup.log(&engine).await;
        assert_eq!(count().await, 2);
        cleanup.keep_audit = Some(Duration::from_secs(50));
        cleanup.audit(&engine).await;
        assert_eq!(count().await, 1);
    }

    #[tokio::test]
    async fn deletes_only_expired_sessions() {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let engine = Engine::builder(Arc::clone(&store)).clock(Arc::clone(&clock));
        let engine = engine.build().unwrap();
        let (slug, name) = ("ann".parse().unwrap(), "Ann".parse().unwrap());
        let user = User::new(slug, name, Role::Admin, engine.now());
        let entries = [user.clone().into()];
        store.save(&entries, Save::Create).await.unwrap();
        let begin = async || {
            let (session, _) = Session::start(user.slug.clone(), engine.now());
            store.start_session(&session).await.unwrap();
            session.hash
        };
        let runs = async |hash: &KeyHash| store.session(hash).await.unwrap().is_some();
        let cleanup = Cleanup {
            keep_log: None,
            keep_audit: None,
            session_idle: Duration::from_secs(60),
            session_length: Duration::from_secs(100),
        };
        let (idle, busy) = (begin().await, begin().await);

        clock.advance(Duration::from_secs(59));
        store.touch_session(&busy, engine.now()).await.unwrap();
        cleanup.sessions(&engine).await;
        assert!(runs(&idle).await && runs(&busy).await);

        clock.advance(Duration::from_secs(2));
        let young = begin().await;
        cleanup.sessions(&engine).await;
        assert!(!runs(&idle).await && runs(&busy).await);

        clock.advance(Duration::from_secs(40));
        store.touch_session(&busy, engine.now()).await.unwrap();
        cleanup.sessions(&engine).await;
        assert!(!runs(&busy).await && runs(&young).await);
    }
}
