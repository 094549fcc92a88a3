//! Checks that the server can do its work.

use std::time::{Duration, Instant};

use redflash_core::{Engine, error_chain};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::warn;

/// How long an answer serves for the next question, since each one costs a commit.
const FRESH: Duration = Duration::from_secs(1);
/// How long a commit may take.
pub(crate) const COMMIT: Duration = Duration::from_secs(2);

/// The last answer, and when it was found.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Vec<ReadinessIssue>)>>);

/// A reason why the server is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadinessIssue {
    pub(crate) reason: String,
    /// The words of the store, which may hold paths and names of machines.
    pub(crate) detail: Option<String>,
}

impl ReadinessIssue {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            detail: None,
        }
    }

    /// The whole of it, for the log and for keys that may inspect.
    pub(crate) fn whole(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.reason),
            None => self.reason.clone(),
        }
    }
}

impl Readiness {
    /// The reasons why the server is not ready, found out or remembered.
    pub(crate) async fn faults(&self, engine: &Engine) -> Vec<ReadinessIssue> {
        // Those who ask meanwhile wait here for the same answer.
        let mut last = self.0.lock().await;
        if let Some((found, faults)) = &*last
            && found.elapsed() < FRESH
        {
            return faults.clone();
        }
        let faults = judge(engine).await;
        let before = last.replace((Instant::now(), faults.clone()));
        let is_new = before.is_none_or(|(_, before)| before != faults);
        if is_new && !faults.is_empty() {
            let faults: Vec<_> = faults.iter().map(ReadinessIssue::whole).collect();
            warn!(faults = faults.join("; "), "not ready");
        }
        faults
    }
}

async fn judge(engine: &Engine) -> Vec<ReadinessIssue> {
    let mut faults = Vec::new();
    match timeout(COMMIT, engine.store().probe(engine.now())).await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => faults.push(ReadinessIssue {
            reason: "no commit is possible".to_owned(),
            detail: Some(error_chain(&fault)),
        }),
        Err(_) => {
            let reason = format!("a commit takes longer than {} s", COMMIT.as_secs());
            faults.push(ReadinessIssue::new(reason));
        }
    }
    let health = engine.health();
    if !health.running {
        faults.push(ReadinessIssue {
            reason: "the dispatcher does not run".to_owned(),
            detail: Some(health.problems.join("; ")),
        });
    }
    faults
}
