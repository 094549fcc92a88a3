//! Work whose size callers choose, kept off the threads that serve all connections.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use redflash_core::{Arguments, Content};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::error;

use crate::alert::Failed;

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
/// [`Failed::Broken`] when it panics.
pub(crate) async fn run<T: Send + 'static>(
    is_large: bool,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failed> {
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
    done.await.map_err(|fault| {
        error!(error = %fault, "large work was broken off");
        Failed::Broken
    })
}

/// Returns true if the content of an alert is large.
pub(crate) fn is_large(content: &Content) -> bool {
    match content {
        Content::Message(text) => text.len() >= LARGE,
        Content::Arguments(arguments) => are_large(arguments),
    }
}

/// Returns true if arguments are large.
pub(crate) fn are_large(arguments: &Arguments) -> bool {
    let mut left = LARGE;
    arguments
        .iter()
        .any(|(name, value)| exceeds(name.len(), &mut left) || is_exceeded_by(value, &mut left))
}

fn is_exceeded_by(value: &Value, left: &mut usize) -> bool {
    /// About what a value takes up beside its text.
    const EACH: usize = 8;
    let own = match value {
        Value::String(text) => text.len(),
        _ => 0,
    };
    exceeds(own + EACH, left)
        || match value {
            Value::Array(values) => values.iter().any(|value| is_exceeded_by(value, left)),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, value)| exceeds(name.len(), left) || is_exceeded_by(value, left)),
            _ => false,
        }
}

/// Counts bytes, and returns true once nothing is left.
fn exceeds(bytes: usize, left: &mut usize) -> bool {
    *left = left.saturating_sub(bytes);
    *left == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn large_work_leaves_the_threads_of_the_runtime() {
        for (is_large, elsewhere) in [(false, false), (true, true)] {
            let here = std::thread::current().id();
            let there = run(is_large, async { std::thread::current().id() });
            assert_eq!(there.await.unwrap() != here, elsewhere);
        }
    }

    #[test]
    fn size_of_arguments_is_that_of_all_their_parts() {
        let large = |arguments: Value| match arguments {
            Value::Object(arguments) => are_large(&arguments),
            _ => unreachable!("arguments are an object"),
        };
        assert!(!large(json!({"host": "db1", "n": [1, 2, {"a": null}]})));
        assert!(large(json!({"text": "x".repeat(LARGE)})));
        assert!(large(
            json!({"alerts": vec![json!({"host": "db1"}); LARGE / 8]})
        ));
        assert!(large(json!({"n": vec![0; LARGE]})));
    }
}
