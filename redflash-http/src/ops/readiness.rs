//! Checks that the server can do its work.

use std::time::{Duration, Instant};

use redflash_core::{Engine, error_chain};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::warn;

/// Time for which a result is reused, since each check costs a commit.
const FRESH: Duration = Duration::from_secs(1);
/// Time limit for a commit.
pub(crate) const COMMIT: Duration = Duration::from_secs(2);

/// The last result and its time.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, Vec<ReadinessIssue>)>>);

/// A reason why the server is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadinessIssue {
    pub(crate) reason: String,
    /// The error of the store, which may hold paths and host names.
    pub(crate) detail: Option<String>,
}

impl ReadinessIssue {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            detail: None,
        }
    }

    /// Returns the reason with its detail, for the log and for keys that may inspect.
    pub(crate) fn full_text(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.reason),
            None => self.reason.clone(),
        }
    }
}

impl Readiness {
    /// Returns the reasons why the server is not ready, checked now or shortly before.
    pub(crate) async fn check(&self, engine: &Engine) -> Vec<ReadinessIssue> {
        // Concurrent checks wait here for one result.
        let mut last = self.0.lock().await;
        if let Some((checked_at, issues)) = &*last
            && checked_at.elapsed() < FRESH
        {
            return issues.clone();
        }
        let issues = check_all(engine).await;
        let before = last.replace((Instant::now(), issues.clone()));
        let is_new = before.is_none_or(|(_, before)| before != issues);
        if is_new && !issues.is_empty() {
            let issues: Vec<_> = issues.iter().map(ReadinessIssue::full_text).collect();
            warn!(issues = issues.join("; "), "not ready");
        }
        issues
    }
}

async fn check_all(engine: &Engine) -> Vec<ReadinessIssue> {
    let mut issues = Vec::new();
    match timeout(COMMIT, engine.store().probe(engine.now())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => issues.push(ReadinessIssue {
            reason: "no commit is possible".to_owned(),
            detail: Some(error_chain(&error)),
        }),
        Err(_) => {
            let reason = format!("a commit takes longer than {} s", COMMIT.as_secs());
            issues.push(ReadinessIssue::new(reason));
        }
    }
    let health = engine.health();
    if !health.running {
        issues.push(ReadinessIssue {
            reason: "the dispatcher is not running".to_owned(),
            detail: Some(health.problems.join("; ")),
        });
    }
    issues
}
