//! What the server clears away by itself: what is too old in the log, and sessions that have ended.

use std::time::Duration;

use redflash_core::{Engine, report};
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
    session_idle: Duration,
    session_length: Duration,
}

impl Tidy {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            keep_log: config.delivery.keep_log,
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
            Err(fault) => warn!(fault = report(&fault), "the log could not be tidied"),
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
                fault = report(&fault),
                "the sessions that have ended could not be removed"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redflash_core::store::Save;
    use redflash_core::{
        Directory, KeyHash, ManualClock, MemoryStore, Role, Session, Sessions, Timestamp, User,
    };

    use super::*;

    #[tokio::test]
    async fn sessions_that_have_ended_are_removed_and_others_stay() {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
        let engine = Engine::builder(Arc::clone(&store) as _).clock(Arc::clone(&clock) as _);
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
