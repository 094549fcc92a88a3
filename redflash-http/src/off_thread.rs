//! Moves work of a size that callers choose off the threads that serve connections.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use redflash_core::message::Content;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::error;

use crate::error::RequestError;

/// Number of bytes from which work counts as large.
pub(crate) const LARGE: usize = 64 * 1024;

/// Limit on large work done at once: one piece per processor.
static PERMITS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    Arc::new(Semaphore::new(processors))
});

/// Runs work: in place if it is small, otherwise on a separate thread, a few at a time.
///
/// # Errors
///
/// [`RequestError::internal`] if the work panics.
pub(crate) async fn run<T: Send + 'static>(
    is_large: bool,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, RequestError> {
    if !is_large {
        return Ok(work.await);
    }
    let permit = Arc::clone(&PERMITS).acquire_owned().await;
    let runtime = Handle::current();
    let done = spawn_blocking(move || {
        let done = runtime.block_on(work);
        drop(permit);
        done
    });
    done.await.map_err(|error| {
        error!(%error, "large work panicked");
        RequestError::internal()
    })
}

/// Returns true if the content of an alert is large.
pub(crate) fn is_large(content: &Content) -> bool {
    content.size() >= LARGE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn runs_large_work_on_separate_thread() {
        for (is_large, elsewhere) in [(false, false), (true, true)] {
            let here = std::thread::current().id();
            let there = run(is_large, async { std::thread::current().id() });
            assert_eq!(there.await.unwrap() != here, elsewhere);
        }
    }
}
