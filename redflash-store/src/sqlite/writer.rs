//! The one writer, which takes the queued jobs and commits once for all of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::sqlite::SqliteConnection;
use redflash_core::BoxError;
use redflash_core::store::StoreError;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::connect::connect;
use super::database_file::DatabaseFile;
use super::savepoint;
use super::watch::{FileError, FileWatch};
use crate::error::{QueryError, nothing_was_written};

/// Maximum number of jobs that share a commit.
const BATCH: usize = 512;
/// Maximum number of waiting jobs; further callers wait.
const WAITING: usize = 4096;

/// A job of the writer, which runs on its connection and then gets the outcome of the commit.
trait Work: Send {
    /// Runs in a savepoint. An error means that the connection is no longer reliable.
    fn run(&mut self, conn: &mut SqliteConnection) -> Result<(), String>;

    /// Sends the caller the result of [`run`](Self::run), or the error of the commit.
    fn end(self: Box<Self>, commit: &Commit);
}

/// The outcome of a transaction.
enum Commit {
    Done,
    /// Not begun.
    Refused(FileError),
    /// Certainly not committed.
    Nothing(String),
    /// Possibly committed.
    Unknown(String),
}

struct Job<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for Job<T, F>
where
    T: Send,
    F: FnOnce(&mut SqliteConnection) -> Result<T, QueryError> + Send,
{
    fn run(&mut self, conn: &mut SqliteConnection) -> Result<(), String> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        match catch_unwind(AssertUnwindSafe(|| savepoint::within(conn, work))) {
            Err(panic) => {
                let cause = format!("a write panicked: {}", message(&*panic));
                self.result = Some(Err(StoreError::Backend(cause.clone().into())));
                Err(cause)
            }
            Ok(Err(error)) if error.is_fatal() => Err(error.to_string()),
            Ok(result) => {
                self.result = Some(result.map_err(StoreError::from));
                Ok(())
            }
        }
    }

    fn end(self: Box<Self>, commit: &Commit) {
        let result = match (commit, self.result) {
            (Commit::Done, Some(result)) => result,
            // The job itself failed, whatever the outcome of the others.
            (_, Some(Err(error))) => Err(error),
            (Commit::Unknown(cause), Some(Ok(_))) => Err(StoreError::Unknown(cause.clone().into())),
            (Commit::Nothing(cause) | Commit::Unknown(cause), _) => {
                Err(StoreError::Unavailable(cause.clone().into()))
            }
            (Commit::Refused(error), _) => Err(StoreError::Unavailable(error.clone().into())),
            (Commit::Done, None) => Err(StoreError::Unavailable("the writer stopped".into())),
        };
        // The caller may have stopped waiting.
        let _ = self.answer.send(result);
    }
}

/// Returns the message of a panic.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// A handle on the writer's thread, which ends after this is dropped and all its jobs are done.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Work>>>,
    file: Arc<DatabaseFile>,
}

impl std::fmt::Debug for dyn Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

impl Writer {
    pub(super) fn start(
        conn: SqliteConnection,
        file: Arc<DatabaseFile>,
        watch: FileWatch,
    ) -> Result<Self, BoxError> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let named = std::thread::Builder::new().name("redflash-writer".into());
        let kept = Arc::clone(&file);
        named.spawn(move || {
            write(conn, kept.path(), &watch, waiting);
            // Given up after the connection.
            drop(kept);
        })?;
        let jobs = Some(jobs);
        Ok(Self { jobs, file })
    }

    /// Runs a job in a transaction, and returns when that is committed and synced.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // A forked process has no thread that would answer.
        self.file.check_process()?;
        let stopped = || StoreError::Unavailable("the writer stopped".into());
        let (answer, answered) = oneshot::channel();
        let job = Job {
            work: Some(work),
            result: None,
            answer,
        };
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        let sent = jobs.send(Box::new(job)).await;
        sent.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A forked process must not wake a thread that it does not have.
        if !self.file.is_of_this_process() {
            std::mem::forget(self.jobs.take());
        }
    }
}

fn write(
    conn: SqliteConnection,
    path: &Path,
    watch: &FileWatch,
    mut jobs: mpsc::Receiver<Box<dyn Work>>,
) {
    let mut conn = Some(conn);
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.blocking_recv_many(&mut batch, BATCH) > 0 {
        let checked = if conn.is_some() {
            watch.check()
        } else {
            watch.check_now()
        };
        if let Err(error) = checked {
            // Already logged. The connection stays: the file may come back.
            let commit = Commit::Refused(error);
            batch.drain(..).for_each(|job| job.end(&commit));
            continue;
        }
        let open = match conn.take() {
            Some(open) => Ok(open),
            None => connect(path),
        };
        let commit = match open {
            Err(error) => Commit::Nothing(error.to_string()),
            Ok(mut open) => {
                let commit = transact(&mut open, &mut batch);
                // After an error the connection is replaced, since its state is unknown. It stays if the file
                // is gone, so that its log is not removed with the last connection.
                if matches!(commit, Commit::Done) || watch.check_now().is_err() {
                    conn = Some(open);
                } else {
                    drop(open);
                    watch.forget_log();
                }
                commit
            }
        };
        if let Commit::Nothing(cause) | Commit::Unknown(cause) = &commit {
            error!(cause, jobs = batch.len(), "commit failed");
        }
        for job in batch.drain(..) {
            job.end(&commit);
        }
    }
    if let Some(mut conn) = conn {
        // Leaves one file instead of three, unless another process uses them.
        let _ = conn.batch_execute("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE);");
    }
}

fn transact(conn: &mut SqliteConnection, batch: &mut [Box<dyn Work>]) -> Commit {
    if let Err(error) = AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE") {
        return Commit::Nothing(error.to_string());
    }
    for job in batch {
        if let Err(error) = job.run(conn) {
            let _ = AnsiTransactionManager::rollback_transaction(conn);
            return Commit::Nothing(error);
        }
    }
    match AnsiTransactionManager::commit_transaction(conn) {
        Ok(()) => Commit::Done,
        Err(error) if nothing_was_written(&error) => Commit::Nothing(error.to_string()),
        Err(error) => Commit::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Access, SqliteStore};
    use super::*;
    use redflash_core::clock::Timestamp;
    use redflash_core::store::Directory;

    #[tokio::test]
    async fn survives_a_job_that_panics() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("a.db"), Access::Server).unwrap();
        let before = store.version().await.unwrap();
        for _ in 0..2 {
            let work = |conn: &mut SqliteConnection| -> Result<(), QueryError> {
                conn.batch_execute("UPDATE directory SET version = version + 1")?;
                panic!("test panic")
            };
            let failed = store.writer.write(work).await.unwrap_err();
            assert!(matches!(failed, StoreError::Backend(_)), "{failed:?}");
            let report = redflash_core::error_chain(&failed);
            assert!(report.contains("a write panicked: test panic"), "{report}");
        }
        redflash_core::store::Outbox::probe(&store, Timestamp::default())
            .await
            .unwrap();
        assert_eq!(store.version().await.unwrap(), before);
    }
}
