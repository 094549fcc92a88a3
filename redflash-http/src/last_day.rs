//! Statistics of the last day, by hour.

use std::time::Duration;

use redflash_core::Engine;
use redflash_core::clock::Timestamp;
use redflash_core::store::{Recent, StoreError};

/// Length of a step.
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
/// Number of steps, including the current hour.
pub(crate) const HOURS: u32 = 24;

/// Returns the start of the first hour.
pub(crate) fn start(now: Timestamp) -> Timestamp {
    now.floor(HOUR).minus(HOUR * (HOURS - 1))
}

/// Returns the outcomes of alerts and attempts since then.
///
/// # Errors
///
/// [`StoreError`] if the store fails.
pub(crate) async fn recent(engine: &Engine) -> Result<Recent, StoreError> {
    engine.store().recent(start(engine.now()), HOUR).await
}
