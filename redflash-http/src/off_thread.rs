//! Work whose size callers choose, kept off the threads that serve all connections.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use redflash_core::Content;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::error;

use crate::error::RequestError;

/// From how many bytes on something is large.
pub(crate) const LARGE: usize = 64 * 1024;

/// Limit on large work done at once: one piece per processor.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    Arc::new(Semaphore::new(processors))
});

/// Does something: here if it is small, otherwise on a thread of its own, in turn with other large work.
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
    let turn = Arc::clone(&TURNS).acquire_owned().await;
    let runtime = Handle::current();
    let done = spawn_blocking(move || {
        let done = runtime.block_on(work);
        drop(turn);
        done
    });
    done.await.map_err(|error| {
        error!(%error, "large work was broken off");
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
    async fn large_work_leaves_the_threads_of_the_runtime() {
        for (is_large, elsewhere) in [(false, false), (true, true)] {
            let here = std::thread::current().id();
            let there = run(is_large, async { std::thread::current().id() });
            assert_eq!(there.await.unwrap() != here, elsewhere);
        }
    }
}
