//! The limit on the memory of all request bodies together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{RequestError, RequestErrorKind};

/// Maximum memory for all bodies, in bytes.
const ALL: usize = 64 * 1024 * 1024;
/// Maximum for bodies of unknown senders, so that clients without a key cannot use all of it.
const UNKNOWN: usize = ALL / 2;
/// Number of bytes in one unit.
const UNIT: usize = 1024;

/// The memory for bodies that is not in use.
#[derive(Debug)]
pub(crate) struct BodyMemory {
    all: Arc<Semaphore>,
    unknown: Arc<Semaphore>,
}

impl Default for BodyMemory {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(ALL / UNIT)),
            unknown: Arc::new(Semaphore::new(UNKNOWN / UNIT)),
        }
    }
}

/// The memory of one body, released on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    pools: Vec<Arc<Semaphore>>,
    permits: Vec<OwnedSemaphorePermit>,
    units: usize,
}

impl BodyMemory {
    /// Returns an empty reservation for one body.
    ///
    /// * `is_known` - True if its sender has shown a valid key.
    pub(crate) fn reservation(&self, is_known: bool) -> Reservation {
        let mut pools = vec![Arc::clone(&self.all)];
        if !is_known {
            pools.push(Arc::clone(&self.unknown));
        }
        Reservation {
            pools,
            permits: Vec::new(),
            units: 0,
        }
    }
}

impl Reservation {
    /// Grows the reservation to a number of bytes.
    ///
    /// # Errors
    ///
    /// [`RequestErrorKind::Overloaded`] if other bodies use the memory.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), RequestError> {
        let more = bytes.div_ceil(UNIT).saturating_sub(self.units);
        if more == 0 {
            return Ok(());
        }
        let wanted = u32::try_from(more).unwrap_or(u32::MAX);
        for pool in &self.pools {
            let Ok(permit) = Arc::clone(pool).try_acquire_many_owned(wanted) else {
                let detail = "too many large requests at once: try again in 1 s";
                let error = RequestError::new(RequestErrorKind::Overloaded, detail);
                return Err(error.retry_after(Duration::from_secs(1)).closing());
            };
            self.permits.push(permit);
        }
        self.units += more;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_memory_of_all_bodies_and_releases_it() {
        let memory = BodyMemory::default();
        let mut large = memory.reservation(true);
        large.grow(ALL - UNIT).unwrap();
        let mut small = memory.reservation(true);
        small.grow(UNIT).unwrap();
        small.grow(UNIT - 1).unwrap();
        let error = small.grow(UNIT + 1).unwrap_err();
        assert_eq!(error.kind, RequestErrorKind::Overloaded);
        assert!(error.retry_after.is_some());
        drop(large);
        small.grow(ALL).unwrap();
    }

    #[test]
    fn unknown_senders_cannot_use_all_memory() {
        let memory = BodyMemory::default();
        let mut unknown = memory.reservation(false);
        unknown.grow(UNKNOWN).unwrap();
        assert!(memory.reservation(false).grow(1).is_err());
        memory.reservation(true).grow(ALL - UNKNOWN).unwrap();
    }
}
