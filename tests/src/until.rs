//! Waiting for something to become true, with a bound.

use std::time::{Duration, Instant};

/// Time limit of anything that a test waits for: long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer, and fails the test after [`PATIENCE`].
///
/// * `what` - what is waited for, for the failure's text.
/// * `ask` - answers `None` as long as it is not so.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "waited {PATIENCE:?} in vain until {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
