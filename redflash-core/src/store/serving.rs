//! The right to dispatch from a store.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::StoreError;

/// The right to dispatch from a store, held until the value is dropped.
#[must_use = "dropping it gives the right back"]
pub struct Serving {
    is_exclusive: bool,
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Serving {
    /// Creates the exclusive right of one engine. Dropping `guard` gives the right back, before the
    /// drop returns.
    pub fn exclusive(guard: impl Any + Send + Sync) -> Self {
        Self {
            is_exclusive: true,
            _guard: Some(Box::new(guard)),
        }
    }

    /// Creates the right of one of several engines. Dropping `guard` removes this engine from the
    /// list of nodes.
    pub fn shared(guard: impl Any + Send + Sync) -> Self {
        Self {
            is_exclusive: false,
            _guard: Some(Box::new(guard)),
        }
    }

    /// Returns true if no other engine can dispatch from the store meanwhile.
    pub const fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("is_exclusive", &self.is_exclusive)
            .finish_non_exhaustive()
    }
}

/// The slot for the one engine that may dispatch from a store.
#[derive(Debug, Default)]
pub struct ServingSlot(Arc<AtomicBool>);

/// Frees the slot when dropped.
struct Taken(Arc<AtomicBool>);

impl ServingSlot {
    /// Takes the slot until the result is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Served`] if an engine of this process has it.
    pub fn take(&self) -> Result<Serving, StoreError> {
        if self.0.swap(true, Ordering::AcqRel) {
            let by = "another engine of this process".to_owned();
            return Err(StoreError::Served { by });
        }
        Ok(Serving::exclusive(Taken(Arc::clone(&self.0))))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_is_taken_by_one_at_a_time() {
        let slot = ServingSlot::default();
        let first = slot.take().unwrap();
        assert!(matches!(slot.take(), Err(StoreError::Served { .. })));
        drop(first);
        assert!(slot.take().unwrap().is_exclusive());
    }
}
