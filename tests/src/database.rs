//! Databases for the installations of a test.

use std::fmt;
use std::sync::mpsc;
use std::thread::JoinHandle;

use crate::Postgres;

/// A Postgres database for one installation, on a cluster of its own that ends with it.
pub(crate) struct OwnDatabase {
    url: String,
    /// Closed when the cluster is to end.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl OwnDatabase {
    /// One where the tests run on Postgres, as those of the target `on_postgres` do; otherwise
    /// `None`, for a file.
    pub(crate) fn if_wanted() -> Option<Self> {
        let test = std::env::current_exe().unwrap();
        let name = test.file_name()?.to_string_lossy().into_owned();
        name.starts_with("on_postgres").then(Self::start)
    }

    /// Blocks until it runs. The cluster belongs to a thread of its own, since it is started where
    /// nothing can be awaited, and ends with the thread that started it.
    fn start() -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let (started, url) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let cluster = Postgres::start().await;
                started.send(cluster.database().await).unwrap();
                // Nothing is ever sent: this ends when the other end is dropped.
                let _ = tokio::task::spawn_blocking(move || stopped.recv()).await;
                drop(cluster);
            });
        });
        Self {
            url: url.recv().expect("PostgreSQL starts"),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for OwnDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnDatabase").finish_non_exhaustive()
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A failure here would hide that of the test.
            let _ = thread.join();
        }
    }
}
