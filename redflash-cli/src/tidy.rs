//! Automatic removal of old entries from the log and the audit log, and of sessions that have ended.

use std::time::Duration;

use redflash_core::{Engine, error_chain};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::command::prune;
use crate::config::Config;

/// How often is looked for what can go.
const PAUSE: Duration = Duration::from_secs(600);

/// How long what the server clears away is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tidy {
    keep_log: Option<Duration>,
    keep_audit: Option<Duration>,
    session_idle: Duration,
    session_length: Duration,
}

impl Tidy {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            keep_log: config.delivery.keep_log,
            keep_audit: config.admin.keep_audit,
            session_idle: config.admin.session_idle,
            session_length: config.admin.session_length,
        }
    }

    /// Clears away, again and again, by what is configured at that time, until it is to stop.
    pub(crate) async fn run(
        configured: watch::Receiver<Self>,
        engine: Engine,
        stop: CancellationToken,
    ) {
        let mut look = tokio::time::interval(PAUSE);
        let work = async {
            loop {
                look.tick().await;
                let tidy = *configured.borrow();
                tidy.log(&engine).await;
                tidy.audit(&engine).await;
                tidy.sessions(&engine).await;
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Keeps the log from growing without end.
    async fn log(&self, engine: &Engine) {
        let Some(age) = self.keep_log else { return };
        match prune::older_than(engine, age).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "removed what is too old from the log"),
            Err(fault) => warn!(fault = error_chain(&fault), "the log could not be tidied"),
        }
    }

    /// Keeps the audit log from growing without end.
    async fn audit(&self, engine: &Engine) {
        let Some(age) = self.keep_audit else { return };
        match prune::changes_older_than(engine, age).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "removed old changes from the audit log"),
            Err(fault) => warn!(
                error = error_chain(&fault),
                "the audit log could not be pruned"
            ),
        }
    }

    /// Removes the sessions that have ended and that nobody has come back to.
    async fn sessions(&self, engine: &Engine) {
        let now = engine.now();
        let (started, seen) = (now.minus(self.session_length), now.minus(self.session_idle));
        match engine.store().prune_sessions(started, seen).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "removed sessions that have ended"),
            Err(fault) => warn!(
                fault = error_chain(&fault),
                "the sessions that have ended could not be removed"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use redflash_core::store::{AuditFilter, Save};
    use redflash_core::{
        Action, Actor, Audit, AuditEntry, Directory, KeyHash, ManualClock, MemoryStore, Role,
        Session, Sessions, Timestamp, User,
    };

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
            store.note(&[change]).await.unwrap();
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
        let mut tidy = Tidy {
            keep_log: Some(Duration::ZERO),
            keep_audit: None,
            session_idle: Duration::MAX,
            session_length: Duration::MAX,
        };
        note().await;
        clock.advance(Duration::from_secs(100));
        note().await;
        tidy.audit(&engine).await;
        tidy.log(&engine).await;
        assert_eq!(count().await, 2);
        tidy.keep_audit = Some(Duration::from_secs(50));
        tidy.audit(&engine).await;
        assert_eq!(count().await, 1);
    }

    #[tokio::test]
    async fn sessions_that_have_ended_are_removed_and_others_stay() {
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
        let tidy = Tidy {
            keep_log: None,
            keep_audit: None,
            session_idle: Duration::from_secs(60),
            session_length: Duration::from_secs(100),
        };
        let (idle, busy) = (begin().await, begin().await);

        clock.advance(Duration::from_secs(59));
        store.touch_session(&busy, engine.now()).await.unwrap();
        tidy.sessions(&engine).await;
        assert!(runs(&idle).await && runs(&busy).await);

        clock.advance(Duration::from_secs(2));
        let young = begin().await;
        tidy.sessions(&engine).await;
        assert!(!runs(&idle).await && runs(&busy).await);

        clock.advance(Duration::from_secs(40));
        store.touch_session(&busy, engine.now()).await.unwrap();
        tidy.sessions(&engine).await;
        assert!(!runs(&busy).await && runs(&young).await);
    }
}
