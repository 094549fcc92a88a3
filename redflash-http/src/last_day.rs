//! What happened in the last day, hour by hour.

use std::time::Duration;

use redflash_core::store::Recent;
use redflash_core::{Engine, StoreError, Timestamp};

/// The length of a step.
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
/// How many there are, the present one included.
pub(crate) const HOURS: u32 = 24;

/// When the first hour begins.
pub(crate) fn start(now: Timestamp) -> Timestamp {
    now.floor(HOUR).minus(HOUR * (HOURS - 1))
}

/// What came of what was raised and tried since then.
///
/// # Errors
///
/// [`StoreError`] when the store cannot say.
pub(crate) async fn recent(engine: &Engine) -> Result<Recent, StoreError> {
    engine.store().recent(start(engine.now()), HOUR).await
}
