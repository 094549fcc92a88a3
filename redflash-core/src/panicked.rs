//! Panics of foreign code, as errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;

/// The message of a panic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {0}")]
pub(crate) struct Panicked(String);

impl Panicked {
    fn of(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self(text.unwrap_or_else(|| "no message".to_owned()))
    }
}

/// Runs a future to its end.
///
/// # Errors
///
/// [`Panicked`] if it panics. Its changes until then remain.
pub(crate) async fn caught<T>(future: impl Future<Output = T> + Send) -> Result<T, Panicked> {
    let result = AssertUnwindSafe(future).catch_unwind().await;
    result.map_err(|payload| Panicked::of(&*payload))
}

/// Calls a function.
///
/// # Errors
///
/// [`Panicked`] if it panics. Its changes until then remain.
pub(crate) fn caught_now<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| Panicked::of(&*payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panics_are_errors_with_their_message() {
        let result = caught(async { panic!("no {}", "reason") }).await;
        assert_eq!(result, Err::<(), _>(Panicked("no reason".into())));
        assert_eq!(caught(async { 1 }).await, Ok(1));
        let result = caught_now(|| std::panic::panic_any(1));
        assert_eq!(result, Err::<(), _>(Panicked("no message".into())));
    }
}
